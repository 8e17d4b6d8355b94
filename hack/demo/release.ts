import { paint } from '../../cli/terminal/colour.ts';
import { formatTable } from '../../cli/terminal/table.ts';
import type { Kubectl } from '../mesh/kubectl.ts';
import { waitUntil } from '../mesh/wait.ts';
import { type Counts, orderingShares, readCounts, SHOP } from './shop.ts';
import { say } from './step.ts';

interface CanaryObject {
  readonly status?: {
    readonly phase?: string;
    readonly weight?: number;
    readonly canaryRevision?: string;
    readonly verdict?: string;
    readonly metrics?: { readonly successRate?: string; readonly p99?: string; readonly requests?: number };
  };
}

/** How a release ended. */
export interface ReleaseEnd {
  readonly phase: string;
  /** Every weight that the Canary was seen to have, in order. */
  readonly weights: readonly number[];
}

const HEADER = ['time', 'phase', 'weight', 'success', 'p99', 'requests', 'verdict', 'customers saw'];
const WIDTHS = [5, 12, 6, 8, 6, 8, 22, 20];

export async function readCanary(kubectl: Kubectl): Promise<CanaryObject> {
  return kubectl.json<CanaryObject>(['get', 'canary', '-n', SHOP, 'ordering']);
}

/** Waits for a phase of the Canary, quietly. @throws {Error} when the time is over; the message has its last status */
export async function waitForPhase(kubectl: Kubectl, phases: readonly string[], timeoutMs: number): Promise<void> {
  const isThere = async (): Promise<string | undefined> => {
    const { status } = await readCanary(kubectl);
    const there = status?.phase !== undefined && phases.includes(status.phase);
    return there ? undefined : `its status is ${JSON.stringify(status)}`;
  };
  await waitUntil(`canary ordering to be ${phases.join(' or ')}`, isThere, { timeoutMs, everyMs: 500 });
}

/**
 * Changes Ordering's environment, as `kubectl set env` does, and shows the Canary line by line until it has a verdict.
 * @param changes such as `VERSION=v2`
 * @param timeoutMs for the whole release
 * @throws {Error} when there is no verdict in time
 */
export async function release(kubectl: Kubectl, changes: readonly string[], timeoutMs: number): Promise<ReleaseEnd> {
  const began = performance.now();
  await kubectl.run(['set', 'env', '-n', SHOP, 'deployment/ordering', ...changes]);
  printRow(HEADER.map((title) => title.toUpperCase()));
  let last = '';
  let begun = false;
  const weights: number[] = [];
  let counts = await readCounts(kubectl);
  for (;;) {
    const { status = {} } = await readCanary(kubectl);
    const phase = status.phase ?? '';
    begun ||= status.canaryRevision !== undefined;
    if (status.weight !== undefined && status.weight !== weights.at(-1)) weights.push(status.weight);
    const key = [phase, status.weight, status.verdict, status.metrics?.requests].join();
    if (begun && key !== last) {
      last = key;
      const now = await readCounts(kubectl);
      printRow(cells(status, performance.now() - began, counts, now));
      counts = now;
    }
    if (begun && ['Succeeded', 'Failed', 'Initialized'].includes(phase)) return { phase, weights };
    if (performance.now() - began > timeoutMs) throw new Error(`no verdict in time: ${JSON.stringify(status)}`);
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
}

function cells(status: NonNullable<CanaryObject['status']>, ms: number, before: Counts, after: Counts): string[] {
  const phase = status.phase ?? '';
  const colour = phase === 'Failed' ? 'red' : phase === 'Succeeded' ? 'green' : 'yellow';
  return [
    `${Math.round(ms / 1000)}s`,
    paint(colour, phase),
    `${status.weight ?? 0}%`,
    status.metrics?.successRate ?? '-',
    status.metrics?.p99 ?? '-',
    String(status.metrics?.requests ?? '-'),
    status.verdict ?? '-',
    sharesText(orderingShares(before, after)),
  ];
}

/** `v1 95% v2 5%`: the share of requests that each version answered. */
export function sharesText(shares: Readonly<Record<string, number>>): string {
  const total = Object.values(shares).reduce((sum, n) => sum + n, 0);
  if (total === 0) return '-';
  return Object.entries(shares)
    .filter(([, n]) => n > 0)
    .map(([version, n]) => `${version} ${((100 * n) / total).toFixed(n / total < 0.1 ? 1 : 0)}%`)
    .join('  ');
}

// Rows come one by one, so that columns are of fixed width; the table formatter lays out a single padded row.
function printRow(row: readonly string[]): void {
  const ruler = WIDTHS.map((width) => ' '.repeat(width));
  say(formatTable(ruler, [row]).split('\n').at(-1) ?? '');
}
