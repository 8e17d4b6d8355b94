import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../../hack/cluster/command.ts';
import { API_PORT, NODE_ADDRESS, SERVICE_PREFIX, type StateLayout } from '../../hack/cluster/layout.ts';
import { OUTBOUND_PORT } from '../../proxy/ports.ts';
import { ApiMesh } from './api-mesh.ts';
import { ApiServer } from './api-server.ts';
import { BenchMesh } from './bench-mesh.ts';
import { Child } from './child.ts';
import { type ApiFault, FaultyApi } from './faulty-api.ts';
import { round } from './figures.ts';
import { countDiffering } from './holdings.ts';
import { MeshTraffic } from './mesh-traffic.ts';
import type { Holding, ProxyPod, ServerPlace } from './messages.ts';
import { OperatorProcess } from './operator-process.ts';
import { PlayedProxies } from './played-proxies.ts';
import type { BenchResult } from './result.ts';
import { toldAlone } from './told-alone.ts';
import { usedClusters } from './uses.ts';

/** How long what goes on. */
export interface ApiFaultPlan {
  readonly services: number;
  readonly proxies: number;
  /** Before the first fault. */
  readonly calmMs: number;
  /** One after the other, each for so long. */
  readonly faults: readonly { readonly fault: ApiFault; readonly ms: number }[];
}

const USED = 10;
const CHANGE_EVERY_MS = 1000;
/** Every so manieth Service comes and goes: of those that a proxy uses most stay, since without any endpoints it is never done with joining. */
const PASSING_EVERY = 8;
const SAMPLE_MS = 500;
/** So many samples that are alike, and all is as it will be. */
const ALIKE = 10;
const SETTLE_MS = 90_000;
/** After the API server was gone: a reflector waits for 5 s at most, and there are Lists to read. */
const BACK_S = 10;
const NAMESPACE = 'shop';
/** Differences that are told in words. */
const TOLD = 10;

/** Addresses of pods and Services are this machine's; requests to Services are led to the Envoys as in a pod. */
async function prepareNetwork(): Promise<void> {
  await run('ip', ['link', 'set', 'lo', 'up']);
  for (const prefix of ['10.1.0.0/16', '10.200.0.0/16', SERVICE_PREFIX]) {
    await run('ip', ['route', 'add', 'local', prefix, 'dev', 'lo']);
  }
  const match = ['-p', 'tcp', '-d', SERVICE_PREFIX, '--dport', '80'];
  const lead = ['-j', 'REDIRECT', '--to-ports', String(OUTBOUND_PORT)];
  await run('iptables', ['-t', 'nat', '-A', 'OUTPUT', ...match, ...lead]);
}

/** What there is when the story begins. */
interface Scene {
  readonly server: ApiServer;
  readonly faulty: FaultyApi;
  readonly mesh: ApiMesh;
  readonly objects: BenchMesh;
  readonly traffic: MeshTraffic;
  readonly pods: readonly ProxyPod[];
  readonly uses: readonly (readonly string[])[];
}

/** A second's changes: of a Service's endpoints, routes or policy by turns, of what requests use, and a Service that comes or goes. */
function changing({ mesh, objects, traffic }: Scene, { services }: ApiFaultPlan): (ms: number) => Promise<void> {
  const absent = new Set<number>();
  let made = 0;
  const once = async (nth: number): Promise<void> => {
    const one = (nth * 7) % services;
    const kinds = [objects.endpoints(one, nth), objects.virtualService(one, nth), objects.destinationRule(one, nth)];
    const change = kinds[nth % kinds.length];
    if (change !== undefined && one % PASSING_EVERY !== 0) await mesh.write(change);
    const passing = (nth * PASSING_EVERY) % services;
    if (absent.delete(passing)) await mesh.write(...objects.ofService(passing, nth));
    else {
      absent.add(passing);
      const gone = objects.ofService(passing, nth).toReversed();
      await mesh.write(...gone.map((entry) => ({ ...entry, object: undefined })));
    }
    await traffic.change(nth);
  };
  return async (ms) => {
    for (const end = performance.now() + ms; performance.now() < end; ) {
      const begun = performance.now();
      await once(made++);
      await sleep(Math.max(0, begun + CHANGE_EVERY_MS - performance.now()));
    }
  };
}

/** What became of a fault. */
interface Recovery {
  /** Proxies that hold other than those that came to a control plane just made. */
  readonly differing: number;
  /** From the end of the fault until all held what these do, in s. */
  readonly seconds: number;
}

/** Follows what proxies hold until it no longer changes, and compares it. @param begun when the fault ended */
async function recover(scene: Scene, players: PlayedProxies, watched: Set<string>, begun: number): Promise<Recovery> {
  const { server, faulty, pods, uses } = scene;
  const samples: { readonly at: number; readonly holdings: readonly Holding[] }[] = [];
  const sample = async (): Promise<readonly Holding[]> => {
    const holdings = await players.holdings();
    samples.push({ at: performance.now(), holdings });
    await sleep(SAMPLE_MS);
    return holdings;
  };
  const isOver = (): boolean => performance.now() - begun > SETTLE_MS;
  for (let [before, alike] = [await sample(), 0]; !isOver(); ) {
    const now = await sample();
    alike = countDiffering(now, before) === 0 ? alike + 1 : 0;
    const back = faulty.watched();
    if (alike >= ALIKE && [...watched].every((kind) => back.has(kind))) break;
    before = now;
  }
  const fresh = new Child('./fresh-control-plane.ts', server.state.kubeconfig);
  const others = new PlayedProxies(pods);
  try {
    await others.connect(await fresh.next<ServerPlace>(), uses);
    const expected = await others.holdings();
    let differing = countDiffering(await sample(), expected);
    while (differing > 0 && !isOver()) differing = countDiffering(await sample(), expected);
    if (differing > 0) process.stderr.write(`${explain(await players.holdings(), expected)}\n`);
    const right = samples.map(({ holdings }) => countDiffering(holdings, expected) === 0);
    const at = samples[right.lastIndexOf(false) + 1]?.at ?? Number.POSITIVE_INFINITY;
    return { differing, seconds: (at - begun) / 1000 };
  } finally {
    await others.stop();
    await fresh.stop();
  }
}

/** Which proxies differ in what, of the first few. */
function explain(some: readonly Holding[], others: readonly Holding[]): string {
  const lines = some.flatMap(({ digest }, index) => {
    const types = Object.keys(digest).filter((type) => digest[type] !== others[index]?.digest[type]);
    return types.map((type) => `proxy ${index}: ${type}: ${digest[type]}, fresh ${others[index]?.digest[type]}`);
  });
  return lines.slice(0, TOLD).join('\n');
}

const NAMES: Readonly<Record<ApiFault, string>> = {
  none: 'nothing amiss',
  reordered: 'events reordered across kinds',
  gone: 'watches end with 410',
  cut: 'API server gone',
};

async function endure(
  scene: Scene,
  plan: ApiFaultPlan,
  operator: OperatorProcess,
  players: PlayedProxies,
): Promise<BenchResult[]> {
  const { faulty, traffic } = scene;
  const change = changing(scene, plan);
  await change(plan.calmMs);
  const before = await operator.memory();
  const watched = faulty.watched();
  const results: BenchResult[] = [];
  for (const { fault, ms } of plan.faults) {
    const bench = `${NAMES[fault]}, ${plan.proxies} proxies, ${plan.services} services`;
    const failed = traffic.counts.failed;
    await faulty.set(fault);
    await change(ms);
    await faulty.set('none');
    const { differing, seconds } = await recover(scene, players, watched, performance.now());
    process.stderr.write(`${fault}: ${differing} differ, ${round(seconds)} s, ${JSON.stringify(faulty.counts)}\n`);
    results.push(
      { bench, figure: 'proxies that hold other than from scratch', value: differing, unit: '', aim: 0 },
      {
        bench,
        figure: 'from its end until all have the newest',
        value: round(seconds),
        unit: 's',
        ...(fault === 'cut' && { aim: BACK_S }),
      },
      { bench, figure: 'requests that failed', value: traffic.counts.failed - failed, unit: '', aim: 0 },
    );
  }
  const astray = await traffic.astray();
  const after = await operator.memory();
  const bench = 'all of it';
  const megabytes = (bytes: number): number => round(bytes / 2 ** 20);
  return [
    ...results,
    { bench, figure: 'connections cut', value: faulty.counts.cut, unit: '' },
    { bench, figure: 'watches ended with 410', value: faulty.counts.gone, unit: '' },
    { bench, figure: 'events that a later one of another kind overtook', value: faulty.counts.overtaken, unit: '' },
    { bench, figure: 'requests', value: traffic.counts.requests, unit: '' },
    { bench, figure: 'fewest requests that an Envoy sent on', value: Math.min(...(await traffic.passed())), unit: '' },
    { bench, figure: 'requests that failed', value: traffic.counts.failed, unit: '', aim: 0 },
    { bench, figure: 'requests that went elsewhere than the last routes say', value: astray, unit: '', aim: 0 },
    { bench, figure: 'heap and buffers before', value: megabytes(before), unit: 'MiB' },
    { bench, figure: 'heap and buffers after', value: megabytes(after), unit: 'MiB', aim: megabytes(1.2 * before) },
  ];
}

async function tell(plan: ApiFaultPlan, state: StateLayout): Promise<BenchResult[]> {
  await prepareNetwork();
  const server = await ApiServer.start(state);
  const mesh = new ApiMesh(server);
  const objects = new BenchMesh({ services: plan.services, proxies: plan.proxies, traffic: true });
  const all = objects.all();
  await mesh.writeAll(all.filter(({ kind }) => kind === 'Namespace'));
  await mesh.writePods(objects.pods);
  // Only now endpoints can name the pods' UIDs.
  await mesh.writeAll(objects.all().filter(({ kind }) => kind !== 'Namespace' && kind !== 'Pod'));
  const traffic = new MeshTraffic(server, mesh);
  await traffic.prepare();
  const pods = await mesh.identities(objects.pods);
  const faulty = new FaultyApi(new URL(`https://${NODE_ADDRESS}:${API_PORT}`), await server.root());
  const operator = await OperatorProcess.start(server, await faulty.start(), NAMESPACE);
  const players = new PlayedProxies(pods);
  const uses = usedClusters(plan.services, plan.services, USED);
  const scene: Scene = { server, faulty, mesh, objects, traffic, pods, uses };
  await players.connect(operator.place, uses);
  await traffic.start(operator.place);
  const results = await endure(scene, plan, operator, players);
  await traffic.stop();
  await players.stop();
  await operator.stop();
  faulty.stop();
  await server.stop();
  return results;
}

await toldAlone<ApiFaultPlan>('api-faults', tell);
