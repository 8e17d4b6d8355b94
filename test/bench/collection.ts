import { GraphSource, strangerFacts } from '../../operator/dashboard/graph-source.ts';
import { OperatorFigures } from '../../operator/dashboard/operator-figures.ts';
import { buildSnapshot } from '../../operator/mesh/mesh-builder.ts';
import type { MeshObject } from '../../operator/mesh/mesh-object.ts';
import { pod, SETTINGS, service } from '../../operator/mesh/testing/objects.ts';
import { TrafficHistory } from '../../operator/telemetry/history/traffic-history.ts';
import { TrafficLedger } from '../../operator/telemetry/ledger.ts';
import { OpenTable } from '../../operator/telemetry/open-table.ts';
import { MeshNodes } from '../../operator/wiring/mesh-nodes.ts';
import { poolReadings } from '../../operator/wiring/open-work.ts';
import { PoolLimitIndex } from '../../operator/wiring/pool-limits.ts';
import { round } from './figures.ts';
import { MetricsReport } from './metrics-report.ts';
import type { BenchResult } from './result.ts';

const SERVICES = 100;
const PODS_OF_EACH = 5;
const CALLED_BY_EACH = 5;
const FLUSH_MS = 5000;
const FLUSHES_A_MINUTE = 12;
const MINUTES = 3;
const FRAME_HEAD = 5;
const GRAPHS = 5;
const START = 1_700_000_040_000;

/** What it costs the operator to take in what 500 sidecars count, and to make a graph of it; without the stream that carries it. */
export async function run(): Promise<BenchResult[]> {
  const [whole, counts] = [await measure(true), await measure(false)];
  const bench = `the reports of ${SERVICES * PODS_OF_EACH} proxies, ${whole.edges} edges`;
  return [
    { bench, figure: 'CPU a minute', value: round(whole.cpu), unit: 's' },
    { bench, figure: 'CPU a minute, without what is open', value: round(counts.cpu), unit: 's' },
    { bench, figure: 'bytes a second', value: round(whole.bytes / 1024), unit: 'KiB' },
    { bench, figure: 'bytes a second, without what is open', value: round(counts.bytes / 1024), unit: 'KiB' },
    { bench, figure: 'CPU of a graph', value: round(whole.graphMs), unit: 'ms' },
  ];
}

/** What one way of reporting costs: CPU in s and bytes a second of all, and CPU of a graph. */
interface Cost {
  readonly cpu: number;
  readonly bytes: number;
  readonly graphMs: number;
  readonly edges: number;
}

/** @param tellsOpen proxies tell what is open */
async function measure(tellsOpen: boolean): Promise<Cost> {
  let now = START;
  const snapshot = buildSnapshot(SETTINGS, objects());
  const nodes = new MeshNodes(snapshot);
  const [open, limits, history] = [new OpenTable(), new PoolLimitIndex(snapshot), new TrafficHistory(nodes)];
  const ledger = new TrafficLedger({
    ...{ history, open, now: () => now },
    workload: (uid) => snapshot.workloads.get(uid),
    stableRevision: () => undefined,
    isPolicyOf: () => false,
  });
  const proxies = reports(tellsOpen);
  let bytes = 0;
  /** @returns CPU that a minute of reports took, in s */
  const minute = (): number => {
    let spent = 0;
    for (let flush = 0; flush < FLUSHES_A_MINUTE; flush++) {
      now += FLUSH_MS;
      const seconds = (now - START) / 1000;
      // A report is made in place, and a copy is what comes over the wire.
      const messages = proxies.map(({ uid, report }) => ({
        uid,
        message: report.frame(seconds / 5, seconds, undefined).subarray(FRAME_HEAD),
      }));
      bytes = messages.reduce((sum, { message }) => sum + message.length, 0);
      spent += cpuOf(() => {
        for (const { uid, message } of messages) ledger.receive({ uid }, message);
      });
    }
    return spent;
  };
  minute();
  let spent = 0;
  for (let nth = 0; nth < MINUTES; nth++) spent += minute();
  const graph = new GraphSource({
    figures: new OperatorFigures({ history, missing: () => [], startedAt: START, now: () => now }),
    nodes: () => [...nodes.all()].map(({ id }) => strangerFacts(id)),
    roleOf: () => undefined,
    saturation: () => undefined,
    pools: () => poolReadings({ nodes, limits, open, ledger }, now),
  });
  const { user, system } = process.cpuUsage();
  let edges = 0;
  for (let nth = 0; nth < GRAPHS; nth++)
    edges = (await graph.graph({ seconds: 60, namespace: undefined })).edges.length;
  const asked = process.cpuUsage({ user, system });
  return {
    cpu: spent / MINUTES,
    bytes: bytes / (FLUSH_MS / 1000),
    graphMs: (asked.user + asked.system) / 1000 / GRAPHS,
    edges,
  };
}

const nameOf = (index: number): string => `app-${index % SERVICES}`;
const hostOf = (index: number): string => `${nameOf(index)}.shop.svc.cluster.local`;
const uidOf = (index: number, nth: number): string => `${nameOf(index)}-${nth}`;

function objects(): MeshObject[] {
  return Array.from({ length: SERVICES }, (_, index): MeshObject[] => {
    const labels = { app: nameOf(index) };
    const pods = Array.from({ length: PODS_OF_EACH }, (_, nth): MeshObject => {
      const name = uidOf(index, nth);
      return { kind: 'Pod', object: pod(name, { uid: name, labels }) };
    });
    return [{ kind: 'Service', object: service(nameOf(index), labels) }, ...pods];
  }).flat();
}

/** Each serves one service and calls five others. */
function reports(tellsOpen: boolean): { readonly uid: string; readonly report: MetricsReport }[] {
  return Array.from({ length: SERVICES * PODS_OF_EACH }, (_, number) => {
    const [index, nth] = [Math.floor(number / PODS_OF_EACH), number % PODS_OF_EACH];
    const called = Array.from({ length: CALLED_BY_EACH }, (_, next) => hostOf(index + 1 + next * 7));
    const series = [
      { reporter: 'destination' as const, service: hostOf(index), revision: '' },
      ...called.map((host) => ({ reporter: 'source' as const, service: host, revision: 'r1' })),
    ];
    const pools = tellsOpen ? called.map((host) => `outbound|80||${host}`) : [];
    return { uid: uidOf(index, nth), report: new MetricsReport(series, 10, pools) };
  });
}

/** CPU in s. */
function cpuOf(act: () => void): number {
  const { user, system } = process.cpuUsage();
  act();
  const used = process.cpuUsage({ user, system });
  return (used.user + used.system) / 1e6;
}
