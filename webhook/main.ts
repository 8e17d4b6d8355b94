import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { loadCelParser } from '../api/cel-parser.ts';
import { isDiscovered } from '../api/discovery.ts';
import { readMeshConfig } from '../api/mesh-config.ts';
import { connectKube } from '../kube/connect.ts';
import { HealthServer } from '../kube/health.ts';
import { SECRET } from '../kube/kinds.ts';
import { createLogger } from '../kube/logger.ts';
import { Reflector } from '../kube/reflector.ts';
import { SYSTEM_NAMESPACE, WEBHOOK_TLS_SECRET } from '../proxy/names.ts';
import { WEBHOOK_PORT } from '../proxy/ports.ts';
import { createHandlers } from './admission.ts';
import { judgeTarget } from './canary-target.ts';
import { WatchedCluster } from './cluster.ts';
import { isInjectionNamespace } from './inject/decision.ts';
import { type InjectionSettings, settingsFrom } from './inject/settings.ts';
import { createWebhookMetrics } from './metrics.ts';
import { AdmissionServer } from './server.ts';
import { readServingCertificate, type TlsSecret } from './serving-certificate.ts';

const HEALTH_PORT = 8080;
const RELOAD_MS = 10_000;

const logger = createLogger('webhook');
const metrics = createWebhookMetrics();
const configFile = process.env.HEDDLE_MESH_CONFIG;
const namespace = process.env.POD_NAMESPACE ?? SYSTEM_NAMESPACE;

let mesh = readMeshConfig(configFile ? readFileSync(configFile, 'utf8') : '');
let settings: InjectionSettings = settingsFrom(mesh, podsHaveIpv6());
if (configFile) watchFile(configFile, { interval: RELOAD_MS }, () => reloadSettings(configFile));

const api = connectKube({}, 'heddle-webhook');
const cluster = new WatchedCluster(api, logger);
const server = new AdmissionServer({
  logger,
  metrics,
  handlers: createHandlers(
    {
      settings: () => settings,
      namespace: (name) => cluster.namespace(name),
      isDiscovered: ({ name, labels }) => isDiscovered(mesh, name, labels),
      isOurs: (view) => view.name === mesh.rootNamespace || isInjectionNamespace(view),
      isGated: (pod, name) => cluster.isGated(pod, name),
      findCanary: (key) => cluster.findCanary(key),
      judgeTarget: async (space, name, spec) => [
        ...cluster.rivalsOf(space, name, spec),
        ...(await judgeTarget(api, space, spec)),
      ],
    },
    metrics,
  ),
});
const certificates = new Reflector<TlsSecret>({
  api,
  logger,
  kind: SECRET,
  namespace,
  fieldSelector: `metadata.name=${WEBHOOK_TLS_SECRET}`,
});
let listening: Promise<number> | undefined;
let serving = false;
certificates.store.onChange(({ object }) => object && useCertificate(object));

const health = new HealthServer({
  port: HEALTH_PORT,
  registry: metrics.registry,
  notReady: () => [...(serving ? [] : [`Secret ${WEBHOOK_TLS_SECRET} has no certificate yet`]), ...cluster.notReady()],
});

// With the first expression somebody would wait for it.
loadCelParser();
process.once('SIGTERM', () => void shutDown());
process.once('SIGINT', () => void shutDown());
await health.start();
await Promise.all([cluster.start(), certificates.start()]);

/** Takes a new certificate; a Secret that cannot be used leaves the one of before in place. */
function useCertificate(secret: TlsSecret): void {
  try {
    const certificate = readServingCertificate(secret);
    server.setCertificate(certificate);
    metrics.certificate(certificate.notAfter);
    logger.info('serving certificate loaded', { notAfter: certificate.notAfter.toISOString() });
  } catch (error) {
    logger.error('serving certificate is not usable, keeping the one of before', { reason: (error as Error).message });
    return;
  }
  listening ??= server.start(WEBHOOK_PORT);
  listening.then(
    () => {
      serving = true;
    },
    (error: unknown) => {
      logger.error('cannot listen', { port: WEBHOOK_PORT, error });
      process.exit(1);
    },
  );
}

function reloadSettings(file: string): void {
  try {
    mesh = readMeshConfig(readFileSync(file, 'utf8'));
    settings = settingsFrom(mesh, podsHaveIpv6());
    logger.info('mesh settings loaded');
  } catch (error) {
    logger.error('mesh settings are not usable, keeping those of before', { reason: (error as Error).message });
  }
}

/** The webhook is a pod like those it injects: if it has an IPv6 address that others reach, so will they. */
function podsHaveIpv6(): boolean {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.some(
    ({ family, internal, address }) => family === 'IPv6' && !internal && !address.startsWith('fe80'),
  );
}

async function shutDown(): Promise<void> {
  logger.info('shutting down');
  if (configFile) unwatchFile(configFile);
  await server.stop();
  await Promise.all([cluster.stop(), certificates.stop(), health.stop()]);
  api.close();
}
