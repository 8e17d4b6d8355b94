/** The operator: watches the cluster, serves xDS, signs certificates, drives Canaries and writes status. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { Registry } from 'prom-client';
import { loadCelParser } from '../api/cel-parser.ts';
import { readMeshConfig } from '../api/mesh-config.ts';
import { connectKube } from '../kube/connect.ts';
import { EventRecorder } from '../kube/event-recorder.ts';
import { HealthServer } from '../kube/health.ts';
import { DEPLOYMENT } from '../kube/kinds.ts';
import { isKubeError, isNotFound } from '../kube/kube-error.ts';
import { LeaderElection } from '../kube/leader-election.ts';
import { createLogger } from '../kube/logger.ts';
import type { KubeObject } from '../kube/object.ts';
import { OPERATOR_SERVICE, SYSTEM_NAMESPACE } from '../proxy/names.ts';
import { DASHBOARD_PORT, XDS_PORT } from '../proxy/ports.ts';
import { AdsServer } from './ads/server.ts';
import { TokenAuthenticator } from './ads/token-authenticator.ts';
import { type CanaryController, startCanary } from './canary/canary-controller.ts';
import { lifetimesFrom } from './certificates/lifetimes.ts';
import { registerCertificateMetrics } from './certificates/metrics.ts';
import { startCertificates } from './certificates/start.ts';
import { KeyFetcher } from './jwks/key-fetcher.ts';
import { recallKeys, rememberKeys } from './jwks/key-memory.ts';
import { fetchWantedKeys } from './jwks/wanted-keys.ts';
import { blockList } from './outward/destination.ts';
import { trustIn } from './outward/tls-trust.ts';
import { VIEW_PATH } from './replicas/replica-view.ts';
import { KubePolicyObjects } from './status/policy-objects.ts';
import { StatusWriter } from './status/status-writer.ts';
import { UsagePoller } from './usage/usage-poller.ts';
import { canaryOutcalls } from './wiring/canary-outcalls.ts';
import { ClusterStores } from './wiring/cluster-stores.ts';
import { CompleteTraffic } from './wiring/complete-traffic.ts';
import { joinDashboard } from './wiring/dashboard.ts';
import { registerOperatorMetrics } from './wiring/operator-metrics.ts';
import { Pipeline } from './wiring/pipeline.ts';
import { policyEnforcement } from './wiring/policy-enforcement.ts';
import { policyFindings } from './wiring/policy-findings.ts';
import { proxyTrust } from './wiring/proxy-trust.ts';
import { startRateLimits } from './wiring/rate-limits.ts';
import { Replicas } from './wiring/replicas.ts';
import { SplitCoverage } from './wiring/split-coverage.ts';
import { tokenPorts } from './wiring/token-review.ts';
import { keepRecords } from './wiring/traffic-records.ts';
import { letUndiscoveredGo } from './wiring/undiscovered-proxies.ts';
import { describeWorkload } from './wiring/workload-description.ts';
import { remoteUse, workloadMemory } from './wiring/workload-memory.ts';
import { XdsCache } from './xds/xds-cache.ts';

const HEALTH_PORT = 8080;
const STOP_MS = 10_000;
/** How long a start waits for keys of tokens: proxies that have some must not be sent none. */
const KEYS_MS = 10_000;

// With the first expression all proxies would wait for it.
loadCelParser();
const logger = createLogger('operator');
const configFile = process.env.HEDDLE_MESH_CONFIG;
const mesh = readMeshConfig(configFile ? readFileSync(configFile, 'utf8') : '');
const namespace = process.env.POD_NAMESPACE ?? SYSTEM_NAMESPACE;
const instance = process.env.POD_NAME ?? hostname();
const api = connectKube({}, 'heddle-operator');
const registry = new Registry();
const stores = new ClusterStores(api, logger, mesh, namespace);
const cache = new XdsCache();
const settings = { ...mesh, rateLimits: { redis: mesh.redis !== undefined } };
const pipeline = new Pipeline(settings, cache, logger, (error) => {
  logger.error('mesh could not be updated, starting anew', { error });
  process.exit(1);
});
const { allowedAddresses, extraRootCA } = mesh.jwks;
const tokenKeys = new KeyFetcher({ allowed: blockList(allowedAddresses), trust: trustIn(extraRootCA), logger });
const snapshot = () => pipeline.snapshot;

const events = new EventRecorder({ api, reporter: 'heddle.dev/operator', instance, logger });
const records = keepRecords(snapshot, mesh);
const { ledger } = records;
const authenticator = new TokenAuthenticator(
  tokenPorts(
    api,
    stores,
    (uid) => snapshot().workloads.has(uid),
    (pod, message) => {
      const note = `The sidecar gets no configuration: ${message}. Until then it goes on with what it had, if anything.`;
      events.record(
        { ...pod, kind: 'Pod', apiVersion: 'v1' },
        { type: 'Warning', reason: 'NotDiscovered', message: note },
      );
    },
  ),
);
const certificates = startCertificates({
  api,
  namespace,
  lifetimes: lifetimesFrom(mesh.certificates),
  namespaces: stores.namespaces,
  destinationRules: stores.destinationRules,
  trustDomain: mesh.trustDomain,
  description: ({ uid }) => describeWorkload(snapshot().workloads.get(uid)),
  clusterDomain: mesh.clusterDomain,
  events,
  proxies: proxyTrust({
    workloads: () => snapshot().workloads.values(),
    acks: () => acks,
    hearsAll: () => replicas.hearsAll(),
  }),
  logger,
});
registerCertificateMetrics(registry, certificates);
const memory = workloadMemory((uid) => snapshot().workloads.get(uid), Date.now);
const replicas = new Replicas({
  api,
  stores,
  ledger,
  use: remoteUse(memory, cache),
  roots: () => certificates.authority.trustBundle,
  self: { namespace, podName: instance, address: process.env.POD_IP ?? '127.0.0.1' },
  clusterDomain: mesh.clusterDomain,
  logger,
});
const rateLimits = startRateLimits({ config: mesh, api, namespace, snapshot, replicas, logger });
const ads = new AdsServer({
  sources: [cache, certificates.secrets],
  authenticator,
  metricsSink: replicas.metricsSink,
  logger,
  registry,
  memory,
  otherCalls: [replicas.call],
  unaryCalls: [
    ...rateLimits.calls,
    { path: VIEW_PATH, authenticator: replicas.authenticator, answer: () => dashboard.answer() },
  ],
});
const acks = replicas.reports(ads);
const usage = new UsagePoller({ api });
const dashboard = joinDashboard({
  api,
  stores,
  snapshot,
  records,
  replicas,
  usage,
  certificates,
  acks,
  local: ads.acks,
  self: { namespace, podName: instance },
  config: mesh,
  isLeader: () => election.isLeader,
  problems: notReady,
  logger,
});
const queues = () => ({ mesh: pipeline, certificates: certificates.secrets, canaries: canary, reports: replicas });
registerOperatorMetrics(registry, { queues, records, streams: () => dashboard.streams });
const status = new StatusWriter({
  objects: new KubePolicyObjects(api, stores.policyKinds),
  findings: policyFindings(ledger),
  counts: rateLimits.counts,
  enforcement: policyEnforcement(acks, cache, (uid) => snapshot().workloads.get(uid)),
  onError: (object, error) => logger.warn('status could not be written', { ...object, error }),
});
const outcalls = canaryOutcalls({
  api,
  config: mesh,
  registry,
  canaries: () => stores.canaries.list(),
  isLeader: () => election.isLeader,
  events,
  logger,
});
let canary: CanaryController | undefined;
let ready = false;

const election = new LeaderElection({
  api,
  namespace,
  name: 'heddle-operator',
  identity: instance,
  logger,
  onStarted: (signal) => {
    certificates.lead(signal);
    rememberKeys({ api, namespace, fetcher: tokenKeys, logger }, signal);
    status.start();
    canary?.resync();
  },
  onLost: () => {
    status.stop();
    outcalls.hooks.forgetAll();
  },
});

const health = new HealthServer({ port: HEALTH_PORT, registry, notReady });

/** What is not there yet, one sentence each. */
function notReady(): string[] {
  const lists = ready ? undefined : 'the first lists have not arrived';
  return [lists, certificates.problem(), replicas.overload(ads)].filter((problem) => problem !== undefined);
}

async function start(): Promise<void> {
  await health.start();
  await stores.start();
  pipeline.onUpdate((next, delta) => {
    records.update(next, delta);
    status.update(next, delta);
  });
  tokenKeys.recall(await recallKeys({ api, namespace, logger }));
  fetchWantedKeys(stores.requestAuthentications, stores.discovery, tokenKeys);
  await tokenKeys.settled(KEYS_MS);
  pipeline.start({ ...stores, jwks: tokenKeys });
  stores.pods.onChange(({ object, previous }) => {
    const uid = previous?.metadata?.uid;
    // A pod of the same name may have taken its place.
    if (uid === undefined || object?.metadata?.uid === uid) return;
    authenticator.revoke(uid);
    ads.revoke(uid);
    certificates.secrets.forget(uid);
  });
  letUndiscoveredGo(stores, ads);
  stores.discovery.onSwitch((namespace) => canary?.touch(namespace));
  for (const { kind, store } of stores.policyKinds) {
    store.onChange(({ key }) => {
      const [namespace = '', name = ''] = key.split('/');
      status.refresh({ kind: kind.kind, namespace, name });
    });
  }
  canary = startCanary({
    stores,
    api,
    mesh: new SplitCoverage(snapshot, acks, cache),
    traffic: new CompleteTraffic(ledger, {
      snapshot,
      acks,
      servingSince: (uid) => stores.servingSince(uid),
      hearsAll: () => replicas.hearsAll(),
    }),
    hooks: outcalls.hooks,
    alerts: outcalls.alerts,
    templates: outcalls.templates,
    usage,
    event: outcalls.event,
    clusterDomain: mesh.clusterDomain,
    isDiscovered: (namespace) => stores.discovery.has(namespace),
    isLeader: () => election.isLeader,
    logger,
  });
  outcalls.templates.onAnswer((target) => canary?.look(target));
  acks.onAck((uids) => canary?.acknowledged(uids));
  certificates.server.onChange((pair) => ads.setCertificate(pair));
  await ads.listen(XDS_PORT);
  replicas.start(ads);
  await dashboard.start(DASHBOARD_PORT);
  election.start();
  ready = true;
  logger.info('operator serves', { xds: XDS_PORT, health: HEALTH_PORT });
}

/** Whether the operator is taken out of the cluster, rather than restarted: then nobody is left to open gates. */
async function isRemoved(): Promise<boolean> {
  try {
    const { metadata } = await api.get<KubeObject>(DEPLOYMENT, { namespace, name: OPERATOR_SERVICE });
    return metadata?.deletionTimestamp !== undefined;
  } catch (error) {
    // Without rights there is not much left of the installation; what can be given back is given back.
    return isNotFound(error) || isKubeError(error, 401) || isKubeError(error, 403);
  }
}

let stopping = false;
async function stop(signal: string): Promise<void> {
  if (stopping) return;
  stopping = true;
  ready = false;
  logger.info('operator stops', { signal });
  const removed = election.isLeader && (await isRemoved());
  // First the controller ends: it would borrow again what is given back.
  await canary?.stop();
  outcalls.stop();
  usage.stop();
  if (removed) await canary?.releaseAll();
  // A new leader may act as soon as we no longer do; the proxies go to another replica in the meantime.
  await election.stop();
  replicas.beginStop();
  await Promise.all([ads.stop(STOP_MS), dashboard.stop()]);
  replicas.stop();
  rateLimits.stop();
  tokenKeys.stop();
  await Promise.all([certificates.stop(), stores.stop()]);
  await health.stop();
  api.close();
  process.exit(0);
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(signal));
await start().catch((error: unknown) => {
  logger.error('operator could not start', { error });
  process.exit(1);
});
