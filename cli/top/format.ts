import type { Completeness, GraphView } from '../../api/view/graph-view.ts';
import { formatMilliseconds } from '../tap/format.ts';
import { paint } from '../terminal/colour.ts';
import { formatTable } from '../terminal/table.ts';
import type { Figures, Subject } from './figures.ts';

/** A share of failures, and of a limit, from which a figure stands out. */
const [BAD_SUCCESS, POOR_SUCCESS, FULL] = [0.95, 0.999, 0.9];

/** The table; what is not known is `-`. */
export function formatFigures(lines: readonly Figures[], subject: Subject, wide: boolean): string {
  const golden = ['rate', 'success', 'p50', 'p99', ...(subject === 'edges' ? [] : ['own'])];
  const pools = ['connections', 'active', 'pending', 'overflow'];
  const saturation = subject === 'edges' ? ['protocol', 'mtls', ...pools] : ['cpu', 'memory', ...pools];
  // Few have limits there.
  const hasInbound = lines.some(({ inboundPoolShare }) => inboundPoolShare !== undefined);
  const header = [
    subject === 'edges' ? 'edge' : subject.slice(0, -1),
    ...(subject === 'workloads' ? ['pods'] : []),
    ...golden,
    ...saturation,
    ...(hasInbound ? ['inbound pool', 'refused'] : []),
    ...(wide ? ['fails with'] : []),
  ];
  const rows = lines.map((line) => [
    line.name,
    ...(subject === 'workloads' ? [line.pods ?? '-'] : []),
    ...[formatRate(line.perSecond), formatSuccess(line.success), formatTime(line.p50Ms), formatTime(line.p99Ms)],
    ...(subject === 'edges' ? [] : [formatTime(line.ownMs)]),
    ...(subject === 'edges' ? [line.protocol ?? '-', formatMtls(line.mtls)] : [formatCpu(line), formatMemory(line)]),
    ...[formatOf(line.connections, line.connectionLimit), formatOf(line.active, line.activeLimit)],
    ...(subject === 'edges'
      ? [formatOf(line.pending, line.pendingLimit)]
      : [`${formatOf(line.pending, undefined)}${formatShare(line.poolShare)}`]),
    formatOverflow(line.overflow),
    ...(hasInbound
      ? [
          `${formatOf(line.inboundActive, undefined)}${formatShare(line.inboundPoolShare)}`,
          formatOverflow(line.inboundOverflow),
        ]
      : []),
    ...(wide ? [line.failure ?? ''] : []),
  ]);
  return formatTable(header, rows);
}

/** An answer of the operator about a window of time. */
export type TimedView = Pick<GraphView, 'at' | 'seconds' | keyof Completeness>;

/** What stands above the table: of what time it is, and what is missing. */
export function formatHead({ at, seconds, source, complete, missing }: TimedView): string[] {
  const time = new Date(at).toTimeString().slice(0, 8);
  const from = source === 'prometheus' ? 'from Prometheus' : 'as the sidecars reported';
  return [
    paint('dim', `${time}, the last ${seconds} s, ${from}`),
    ...(complete ? [] : missing.slice(0, 3).map((sentence) => paint('yellow', `incomplete: ${sentence}`))),
    ...(complete || missing.length <= 3 ? [] : [paint('yellow', `and ${missing.length - 3} more are missing`)]),
  ];
}

function formatRate(perSecond: number | undefined): string {
  if (perSecond === undefined) return '-';
  return `${perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond)}/s`;
}

function formatSuccess(success: number | undefined): string {
  if (success === undefined) return '-';
  // Never rounded up to what it is not; 0.2 comes as a little less, as 1 - 4/5.
  const text = success === 1 ? '100%' : `${(Math.floor(success * 10_000 + 1e-6) / 100).toFixed(2)}%`;
  if (success < BAD_SUCCESS) return paint('red', text);
  return success < POOR_SUCCESS ? paint('yellow', text) : text;
}

const formatTime = (ms: number | undefined): string => (ms === undefined ? '-' : formatMilliseconds(ms));

function formatCpu({ cpuCores, cpuShare }: Figures): string {
  if (cpuCores === undefined) return '-';
  return `${Math.round(cpuCores * 1000)}m${formatShare(cpuShare)}`;
}

function formatMemory({ memoryBytes, memoryShare }: Figures): string {
  if (memoryBytes === undefined) return '-';
  return `${Math.round(memoryBytes / 2 ** 20)}Mi${formatShare(memoryShare)}`;
}

/** How many of how many there may be. */
function formatOf(now: number | undefined, limit: number | undefined): string {
  if (now === undefined) return '-';
  return limit === undefined ? `${now}` : `${now}/${limit}`;
}

function formatOverflow(overflow: number | undefined): string {
  if (overflow === undefined) return '-';
  return overflow > 0 ? paint('red', `${overflow}`) : '0';
}

function formatShare(share: number | undefined): string {
  if (share === undefined) return '';
  const text = ` (${Math.round(share * 100)}%)`;
  return share >= FULL ? paint('red', text) : text;
}

function formatMtls(mtls: string | undefined): string {
  if (mtls === 'all') return paint('green', 'all');
  return mtls === 'none' || mtls === 'some' ? paint('yellow', mtls) : (mtls ?? '-');
}
