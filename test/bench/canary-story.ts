import { loadavg } from 'node:os';
import type { Canary } from '../../api/canary.ts';
import { durationMs } from '../../api/duration.ts';
import { run } from '../../hack/cluster/command.ts';
import { API_PORT, NODE_ADDRESS, type StateLayout } from '../../hack/cluster/layout.ts';
import { waitUntil } from '../../hack/mesh/wait.ts';
import { CANARY } from '../../kube/kinds.ts';
import { Reflector } from '../../kube/reflector.ts';
import { ApiMesh } from './api-mesh.ts';
import { ApiServer } from './api-server.ts';
import { ApiWrites } from './api-writes.ts';
import { CanaryMesh, revisionOf } from './canary-mesh.ts';
import { CanaryTicks } from './canary-ticks.ts';
import { quantile, round } from './figures.ts';
import type { Spent } from './memory-report.ts';
import type { ProxiesReport } from './messages.ts';
import { OperatorProcess } from './operator-process.ts';
import { PlayedProxies } from './played-proxies.ts';
import type { BenchResult } from './result.ts';
import { toldAlone } from './told-alone.ts';

/** How many Canaries, and who calls. */
export interface CanaryPlan {
  readonly canaries: number;
  readonly namespaces: number;
  /** Pods that call every Service and report what came of it, beside one sidecar for each pod of the targets. */
  readonly callers: number;
  readonly interval: string;
  readonly stepWeights: readonly number[];
  /** Of each of them. */
  readonly stepDuration: string;
  /** How long it takes until all are under way; absent: they begin in one moment. */
  readonly releasedOver?: string;
}

/** Requests of each caller to each revision of each Service, in one flush of 5 s. */
const REQUESTS = 5;
/** For a thousand on a machine that others use, too: every wait is also told of, with one that is not there yet, when it was in vain. */
const PATIENCE_MS = 1_800_000;
const POLL_MS = 250;
/** How late a check may come. */
const LATE_MS = 1000;
/** A namespace with pods of the mesh. */
const EXAMPLE = 'team-0';

/** What is measured from outside the operator. */
interface Watched {
  readonly canaries: Reflector<Canary>;
  readonly ticks: CanaryTicks;
}

function watch(server: ApiServer, { interval }: CanaryPlan): Watched {
  const canaries = new Reflector<Canary>({ api: server.api, kind: CANARY });
  const ticks = new CanaryTicks(durationMs(interval));
  canaries.store.onChange((change) => ticks.take(change, Date.now()));
  return { canaries, ticks };
}

/** Waits until something holds for every Canary. @param isSo gives what is amiss */
function untilAll(
  what: string,
  { canaries }: Watched,
  plan: CanaryPlan,
  isSo: (canary: Canary) => boolean,
): Promise<void> {
  const check = async (): Promise<string | undefined> => {
    const all = [...canaries.store.list()];
    const so = all.filter(isSo).length;
    if (so === plan.canaries) return undefined;
    const example = all.find((one) => !isSo(one));
    return `${so} of ${plan.canaries}; one: ${JSON.stringify(example?.status)}`;
  };
  return waitUntil(what, check, { timeoutMs: PATIENCE_MS, everyMs: POLL_MS });
}

function reportsOf(mesh: CanaryMesh, { canaries }: CanaryPlan): ProxiesReport[] {
  const indices = Array.from({ length: canaries }, (_, index) => index);
  const hosts = indices.map((index) => mesh.hostname(index));
  const all = hosts.flatMap((service, index) =>
    (['stable', 'tried'] as const).map((which) => ({
      reporter: 'source' as const,
      service,
      revision: revisionOf(index, which),
    })),
  );
  const served = (nth: number): ProxiesReport => {
    const service = hosts[nth % canaries] ?? '';
    const revision = revisionOf(nth % canaries, nth < mesh.stable.length ? 'stable' : 'tried');
    return { first: nth, count: 1, requests: REQUESTS, series: [{ reporter: 'destination', service, revision }] };
  };
  const targets = mesh.stable.length + mesh.tried.length;
  return [
    { first: targets, count: mesh.callers.length, requests: REQUESTS, series: all },
    ...Array.from({ length: targets }, (_, nth) => served(nth)),
  ];
}

/** Sidecars of all pods. Those of targets call the next target, callers all of them. */
async function connect(
  mesh: CanaryMesh,
  api: ApiMesh,
  operator: OperatorProcess,
  plan: CanaryPlan,
): Promise<PlayedProxies> {
  const { canaries } = plan;
  const pods = await api.identities([...mesh.stable, ...mesh.tried, ...mesh.callers]);
  const players = new PlayedProxies(pods);
  const cluster = (index: number): string => `outbound|80||${mesh.hostname(index % canaries)}`;
  const every = Array.from({ length: canaries }, (_, index) => cluster(index));
  const targets = mesh.stable.length + mesh.tried.length;
  await players.connect(
    operator.place,
    pods.map((_, nth) => (nth < targets ? [cluster((nth % canaries) + 1)] : every)),
  );
  await players.report(reportsOf(mesh, plan));
  return players;
}

/** Measures from when all are under analysis until the first has passed all its checks. */
async function measure(
  watched: Watched,
  plan: CanaryPlan,
  operator: OperatorProcess,
  server: ApiServer,
): Promise<BenchResult[]> {
  const { ticks, canaries } = watched;
  await untilAll(
    'all Canaries under analysis',
    watched,
    plan,
    ({ status }) => status?.stepStartTime !== undefined || (status?.iterations ?? 0) > 0,
  );
  const writes = new ApiWrites(server.api);
  await writes.take();
  const before = await operator.spent();
  const load = loadavg();
  ticks.begin();
  const begun = performance.now();
  const isOver = (): boolean =>
    [...canaries.store.list()].some(({ status }) => !['Progressing', 'Waiting'].includes(status?.phase ?? ''));
  await waitUntil('the first to have passed', async () => (isOver() ? undefined : 'none has'), {
    timeoutMs: PATIENCE_MS,
    everyMs: POLL_MS,
  });
  ticks.end();
  const seconds = (performance.now() - begun) / 1000;
  const after = await operator.spent();
  const made = await writes.take();
  process.stderr.write(
    `load ${load.map(round).join(' ')} to ${loadavg().map(round).join(' ')}; ${JSON.stringify(Object.fromEntries(ticks.unjudged))}\n`,
  );
  const heap = await operator.memory();
  return tell(plan, ticks, { seconds, before, after, made, heap });
}

interface Costs {
  readonly seconds: number;
  readonly before: Spent;
  readonly after: Spent;
  readonly made: ReadonlyMap<string, number>;
  readonly heap: number;
}

function tell(plan: CanaryPlan, ticks: CanaryTicks, { seconds, before, after, made, heap }: Costs): BenchResult[] {
  const begun = plan.releasedOver === undefined ? 'in one moment' : `over ${plan.releasedOver}`;
  const bench = `${plan.canaries} Canaries begun ${begun}, a check every ${plan.interval}, ${plan.callers} callers`;
  const cpu = after.cpuSeconds - before.cpuSeconds;
  const checks = ticks.judgedLate.length;
  const figure = (name: string, value: number, unit: string, aim?: number): BenchResult => ({
    bench,
    figure: name,
    value: round(value),
    unit,
    ...(aim !== undefined && { aim }),
  });
  const unjudged = [...ticks.unjudged.values()].reduce((sum, count) => sum + count, 0);
  return [
    figure('checks judged', checks, ''),
    figure('CPU of the operator per check', (cpu * 1000) / checks, 'ms'),
    figure('CPU of the operator, of one core', (cpu * 100) / seconds, '%'),
    figure('a check is judged late by, p50', quantile(ticks.judgedLate, 0.5), 'ms'),
    figure('a check is judged late by, p99', quantile(ticks.judgedLate, 0.99), 'ms', LATE_MS),
    figure('its status is written late by, p50', quantile(ticks.writtenLate, 0.5), 'ms'),
    figure('its status is written late by, p99', quantile(ticks.writtenLate, 0.99), 'ms'),
    figure('a new weight is in force after, p50', quantile(ticks.inForce, 0.5), 'ms'),
    figure('a new weight is in force after, p99', quantile(ticks.inForce, 0.99), 'ms'),
    figure('looks at a check that could not be judged when due', unjudged, '', 0),
    ...[...made].map(([resource, count]) => figure(`writes of ${resource}`, count / seconds, '/s')),
    figure('event loop delay, p99', after.delayP99Ms, 'ms'),
    figure('longest turn of the event loop (CPU)', after.longestTurnMs, 'ms'),
    figure('resident', after.rss / 2 ** 20, 'MiB'),
    figure('heap and buffers after a collection', heap / 2 ** 20, 'MiB'),
  ];
}

async function story(plan: CanaryPlan, state: StateLayout): Promise<BenchResult[]> {
  await run('ip', ['link', 'set', 'lo', 'up']);
  await run('ip', ['route', 'add', 'local', '10.1.0.0/16', 'dev', 'lo']);
  const server = await ApiServer.start(state);
  const api = new ApiMesh(server);
  const { interval, stepWeights, stepDuration } = plan;
  const analysis = { interval, stepWeights, stepDurations: stepWeights.map(() => stepDuration) };
  const mesh = new CanaryMesh(server, api, { ...plan, analysis });
  await mesh.prepare();
  tellTime('prepared');
  const operator = await OperatorProcess.start(server, `https://${NODE_ADDRESS}:${API_PORT}`, EXAMPLE);
  const watched = watch(server, plan);
  watched.canaries.start();
  await untilAll('all Canaries initialized', watched, plan, ({ status }) => status?.phase === 'Initialized');
  tellTime('initialized');
  await mesh.bringUp();
  tellTime('new pods');
  const players = await connect(mesh, api, operator, plan);
  tellTime('connected');
  await mesh.release(plan.releasedOver === undefined ? 0 : durationMs(plan.releasedOver));
  tellTime('released');
  const results = await measure(watched, plan, operator, server);
  await watched.canaries.stop();
  await players.stop();
  await operator.stop();
  await server.stop();
  return results;
}

function tellTime(what: string): void {
  process.stderr.write(`${what} after ${round(performance.now() / 1000)} s\n`);
}

await toldAlone<CanaryPlan>('canaries', story);
