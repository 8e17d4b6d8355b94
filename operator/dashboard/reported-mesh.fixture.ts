import type { TableBounds } from '../telemetry/history/edge-table.ts';
import { TrafficHistory } from '../telemetry/history/traffic-history.ts';
import { TrafficLedger } from '../telemetry/ledger.ts';
import type { MetricsMessage } from '../telemetry/metrics-message.ts';
import { encodeLabels } from '../telemetry/testing/encoded-labels.ts';
import { GraphSource, strangerFacts } from './graph-source.ts';
import { OperatorFigures } from './operator-figures.ts';
import type { OwnPoolReading, PoolReading } from './pool-totals.ts';
import { refusalsIn } from './refusal-source.ts';

/** When everything begins, in ms since the epoch. */
export const START = 1_700_000_040_000;
export const ORDERING = 'ordering.shop.svc';
export const SPIFFE = 'spiffe://td/ns/shop/sa/ordering';

/** Labels of calls of `ordering`, as the caller's sidecar counts them. */
export const call = (more: Record<string, string> = {}) =>
  encodeLabels({
    reporter: 'source',
    upstream_cluster: `outbound|80||${ORDERING}`,
    destination_principal: SPIFFE,
    response_code: '200',
    response_flags: '-',
    ...more,
  });
export const failed = call({ response_code: '503', response_flags: 'UF', destination_principal: '-' });

/** Pods `ui-1`, `ordering-1`, ... whose nodes are `shop/ui`, ...; they report to a real ledger. */
export function setUp(bounds: Partial<TableBounds> = {}, missing: readonly string[] = []) {
  let now = START;
  const nodeOf = (uid: string) => `shop/${uid.split('-')[0]}`;
  const history = new TrafficHistory(
    {
      ofPod: nodeOf,
      ofService: (host) => (host === ORDERING ? 'shop/ordering' : `host:${host}`),
      isTcp: (_, port) => port === 5432,
      isTcpOfPod: (_, port) => port === 5432,
      hasSidecars: (principal) => principal === SPIFFE,
    },
    { bounds },
  );
  const ledger = new TrafficLedger({
    history,
    now: () => now,
    workload: () => ({ namespace: 'shop', revision: 'r' }),
    stableRevision: () => undefined,
    isPolicyOf: () => true,
  });
  const pools: (OwnPoolReading | PoolReading)[] = [];
  const figures = new OperatorFigures({ history, missing: () => missing, startedAt: START, now: () => now });
  const ports = {
    nodes: () =>
      ['shop/ui', 'shop/ordering', 'other/idle'].map((id) => ({ ...strangerFacts(id), pods: 1, connected: 1 })),
    roleOf: (service: string, revision: string | undefined) =>
      service === ORDERING && revision !== undefined
        ? { revision, role: revision === 'new' ? ('canary' as const) : ('stable' as const) }
        : undefined,
    saturation: () => undefined,
    pools: () => pools,
    figures,
  };
  const graph = new GraphSource(ports);
  const begun = new Set<string>();
  const report = (uid: string, counts: Record<string, number>, more: Partial<MetricsMessage> = {}) => {
    const first = !begun.has(uid);
    begun.add(uid);
    ledger.record(uid, {
      first,
      uptime: first ? { seconds: 0, processStart: now } : undefined,
      requests: Object.entries(counts).map(([key, value]) => ({ key, value })),
      durations: [],
      ...more,
    });
  };
  return {
    series: figures,
    refusals: (namespace: string) => refusalsIn({ history, missing: () => missing }, { seconds: 600, namespace }, now),
    pools,
    history,
    report,
    pass: (ms: number) => {
      now += ms;
    },
    ask: (seconds = 60, namespace: string | undefined = undefined) => graph.graph({ seconds, namespace }),
  };
}
