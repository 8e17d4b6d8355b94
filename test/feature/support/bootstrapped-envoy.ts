import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BOOTSTRAP_VARIABLES, type BootstrapInput, buildBootstrap } from '../../../proxy/bootstrap.ts';
import { expandArgument, toArgument } from '../../../proxy/expansion.ts';
import { ADMIN_PORT, HEALTH_PORT, METRICS_PORT, PROBE_PORT } from '../../../proxy/ports.ts';
import { type EnvoyProcess, runEnvoy } from './envoy-process.ts';
import { freePort } from './free-port.ts';

const NOTHING = '{"resources":[]}';
const TRUST = JSON.stringify({
  resources: [
    {
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret',
      name: 'heddle-xds-trust',
      validation_context: {},
    },
  ],
});

/** A real Envoy with the bootstrap of a pod, which nobody tells anything. */
export interface BootstrappedEnvoy {
  readonly envoy: EnvoyProcess;
  /** Where a port of the bootstrap is on this machine. */
  at(port: number): number;
  stop(): Promise<void>;
}

/** Starts it on free ports of loopback. */
export async function startBootstrapped(input: BootstrapInput): Promise<BootstrappedEnvoy> {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-bootstrapped-'));
  await writeFile(join(folder, 'trust.yaml'), TRUST);
  await writeFile(join(folder, 'token'), 'token');
  await writeFile(join(folder, 'nothing.json'), NOTHING);
  const ports = new Map<number, number>();
  for (const port of [ADMIN_PORT, HEALTH_PORT, METRICS_PORT, PROBE_PORT]) ports.set(port, await freePort());
  const at = (port: number): number => ports.get(port) ?? port;
  const file = { path_config_source: { path: join(folder, 'nothing.json') } };
  const config = { ...buildBootstrap(input), dynamic_resources: { lds_config: file, cds_config: file } };
  const variables = Object.fromEntries(Object.keys(BOOTSTRAP_VARIABLES).map((name) => [name, 'x']));
  const text = expandArgument(toArgument(config), { ...variables, INSTANCE_IP: '127.0.0.1' })
    .replaceAll('/etc/heddle/trust', folder)
    .replaceAll('/var/run/secrets/heddle', folder)
    .replace(/"port_value":(\d+)/g, (_, port: string) => `"port_value":${at(Number(port))}`);
  const envoy = await runEnvoy(JSON.parse(text), at(ADMIN_PORT));
  return {
    envoy,
    at,
    stop: async () => {
      await envoy.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
