import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { translateTrustSecret } from '../../operator/certificates/secret-resource.ts';
import { pod, SETTINGS, service } from '../../operator/mesh/testing/objects.ts';
import { SECRET_TYPE } from '../../operator/xds/resource.ts';
import { WORKLOAD_SECRET } from '../../proxy/names.ts';
import { nodeIdOf, startHarness } from '../feature/support/ads-harness.ts';
import { boundInbound } from '../feature/support/bound-inbound.ts';
import { type EnvoyProcess, startEnvoy } from '../feature/support/envoy-process.ts';
import { freePort } from '../feature/support/free-port.ts';
import { connectAs, Http1Line, makeMeshCredentials } from '../feature/support/mesh-callers.ts';
import { MeshOnStream } from '../feature/support/mesh-on-stream.ts';
import { secret } from '../feature/support/mesh-resources.ts';
import { ResourceTable } from '../feature/support/resource-table.ts';
import { ALLOWED_CALLER, benchPolicies, LAST_ALLOWED_PATH } from './bench-policies.ts';
import { quantile, round } from './figures.ts';
import { cpuSeconds } from './process-cost.ts';
import type { BenchResult } from './result.ts';

const POLICIES = 100;
const WARM_UP = 2000;
const ROUNDS = 10;
const REQUESTS = 2000;
/** Names of the pods: one has no policy, one has them all. */
const PODS = ['free', 'guarded'] as const;
const LOOPBACK = { sourceIp: '127.0.0.1', destinationIp: '127.0.0.1' };

interface Sidecar {
  readonly envoy: EnvoyProcess;
  readonly line: Http1Line;
}

/**
 * What 100 AuthorizationPolicies about a pod cost its sidecar on each request: two real Envoys that differ in nothing else are asked by turns, over
 * mTLS, for what only the last of the policies allows.
 */
export async function run(): Promise<BenchResult[]> {
  const application = createServer({ keepAliveTimeout: 600_000 }, (_, response) => response.end('ok'));
  application.listen(0, '127.0.0.1');
  await once(application, 'listening');
  const { port } = application.address() as AddressInfo;
  const started = await startSidecars(port);
  try {
    const [free, guarded] = started.sidecars;
    if (free === undefined || guarded === undefined) throw new Error('there are two sidecars');
    if ((await ask(guarded, '/', 403)) === undefined) throw new Error('policies are not in force');
    await askByTurns([free, guarded], WARM_UP);
    const rounds: (readonly [Cost, Cost])[] = [];
    for (let nth = 0; nth < ROUNDS; nth++) rounds.push(await askByTurns([free, guarded], REQUESTS));
    return figures(rounds);
  } finally {
    for (const { envoy, line } of started.sidecars) {
      line.close();
      await envoy.stop();
    }
    await started.stop();
    application.closeAllConnections();
    application.close();
  }
}

async function startSidecars(port: number): Promise<{ readonly sidecars: readonly Sidecar[]; stop(): Promise<void> }> {
  const mesh = new MeshOnStream(SETTINGS);
  const [source] = mesh.sources;
  if (source === undefined) throw new Error('a mesh has a source');
  const credentials = await makeMeshCredentials('cluster.local/ns/shop/sa/default', [ALLOWED_CALLER]);
  const secrets = new ResourceTable([SECRET_TYPE]);
  secrets.update([secret(WORKLOAD_SECRET, credentials.workload), translateTrustSecret(credentials.rootPem)]);
  const at = new Map<string, number>();
  for (const name of PODS) at.set(name, await freePort());
  const inbound = boundInbound(mesh.cache, ({ podName }) => at.get(podName) ?? 0);
  const harness = await startHarness([source, inbound, secrets]);
  const pods = PODS.map((name) => harness.addPod(name));
  mesh.put(
    ...pods.map(({ name, uid, ips }) => ({
      kind: 'Pod' as const,
      object: pod(name, { uid, address: ips[0] ?? '', labels: { app: name } }),
    })),
    ...PODS.map((name) => ({
      kind: 'Service' as const,
      object: service(name, { app: name }, { ports: [{ name: 'http', port: 80, targetPort: port }] }),
    })),
    ...benchPolicies(POLICIES, { app: 'guarded' }).map((object) => ({ kind: 'AuthorizationPolicy' as const, object })),
  );
  const sidecars: Sidecar[] = [];
  for (const own of pods) {
    const envoy = await startEnvoy({
      nodeId: nodeIdOf(own),
      token: own.token,
      adsPort: harness.port,
      rootPem: harness.rootPem,
    });
    const entrance = { at: at.get(own.name) ?? 0, credentials };
    sidecars.push({ envoy, line: await untilConnected(entrance, port, envoy) });
  }
  return { sidecars, stop: () => harness.stop() };
}

async function untilConnected(
  entrance: Parameters<typeof connectAs>[0],
  port: number,
  envoy: EnvoyProcess,
): Promise<Http1Line> {
  for (const end = performance.now() + 30_000; performance.now() < end; ) {
    try {
      return new Http1Line(await connectAs(entrance, { ...LOOPBACK, principal: ALLOWED_CALLER }, port));
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  throw new Error(`no inbound side: ${envoy.log()}`);
}

/** What a sidecar took for some requests. */
interface Cost {
  readonly cpuMs: number;
  readonly latencies: readonly number[];
}

async function askByTurns(pair: readonly [Sidecar, Sidecar], requests: number): Promise<readonly [Cost, Cost]> {
  const spent = () => Promise.all(pair.map(({ envoy }) => cpuSeconds(envoy.pid)));
  const [before, latencies] = [await spent(), pair.map((): number[] => [])];
  for (let nth = 0; nth < requests; nth++) {
    // Who is asked first changes, so that neither always finds the other's caches.
    for (const index of nth % 2 === 0 ? [0, 1] : [1, 0]) {
      const sidecar = pair[index];
      if (sidecar !== undefined) latencies[index]?.push(await ask(sidecar, LAST_ALLOWED_PATH, 200));
    }
  }
  const after = await spent();
  const cost = (index: 0 | 1): Cost => ({
    cpuMs: ((after[index] ?? 0) - (before[index] ?? 0)) * 1000,
    latencies: latencies[index] ?? [],
  });
  return [cost(0), cost(1)];
}

/** @returns ms until the answer. @throws {Error} when it has another status */
async function ask({ line }: Sidecar, path: string, wanted: number): Promise<number> {
  const began = performance.now();
  const { status } = await line.send(
    `GET ${path} HTTP/1.1\r\nhost: shop\r\nx-team: tools\r\naccept: text/html\r\n\r\n`,
  );
  if (status !== wanted) throw new Error(`${path}: ${status} instead of ${wanted}`);
  return performance.now() - began;
}

function figures(rounds: readonly (readonly [Cost, Cost])[]): BenchResult[] {
  const bench = `${POLICIES} AuthorizationPolicies`;
  const perThousand = (index: 0 | 1): number[] => rounds.map((costs) => (costs[index].cpuMs / REQUESTS) * 1000);
  const [free, guarded] = [perThousand(0), perThousand(1)];
  const ratios = guarded.map((one, nth) => one / (free[nth] ?? Number.NaN));
  const latencies = ([0, 1] as const).map((index) => rounds.flatMap((costs) => costs[index].latencies));
  const added = rounds.map(([one, other]) => quantile(other.latencies, 0.5) - quantile(one.latencies, 0.5));
  const results: BenchResult[] = [
    { bench, figure: 'CPU of 1,000 requests without', value: round(quantile(free, 0.5)), unit: 'ms' },
    { bench, figure: 'CPU of 1,000 requests with', value: round(quantile(guarded, 0.5)), unit: 'ms' },
    { bench, figure: 'CPU, with over without (median of rounds)', value: round(quantile(ratios, 0.5)), unit: '' },
    { bench, figure: 'added to p50 (median of rounds)', value: round(quantile(added, 0.5) * 1000), unit: 'µs' },
  ];
  for (const [index, name] of ['without', 'with'].entries()) {
    for (const share of [0.5, 0.99]) {
      const value = round(quantile(latencies[index] ?? [], share));
      results.push({ bench, figure: `latency ${name}, p${share * 100}`, value, unit: 'ms' });
    }
  }
  return results;
}
