import type { Answer, EdgeRevision, Golden, GraphEdge, PoolFill } from '../../api/view/graph-view.ts';
import { Durations } from '../telemetry/durations.ts';
import type { CallLabels } from '../telemetry/history/call-labels.ts';
import { type Edge, edgeId } from '../telemetry/history/edge-table.ts';
import type { Growth } from '../telemetry/history/traffic-history.ts';

const MAX_ANSWERS = 10;

/** The golden metrics of something, being added up. */
export class GoldenTotals {
  requests = 0;
  failures = 0;
  sent = 0;
  received = 0;
  readonly durations = new Durations();

  merge(other: GoldenTotals): void {
    this.requests += other.requests;
    this.failures += other.failures;
    this.sent += other.sent;
    this.received += other.received;
    this.durations.merge(other.durations);
  }

  /** @param seconds length of the window */
  golden(seconds: number): Golden {
    const { requests, failures, sent, received } = this;
    const [p50Ms, p90Ms, p99Ms] = [0.5, 0.9, 0.99].map((share) => this.durations.quantile(share));
    return {
      requests,
      perSecond: requests / seconds,
      failures,
      ...(p50Ms === undefined ? {} : { p50Ms }),
      ...(p90Ms === undefined ? {} : { p90Ms }),
      ...(p99Ms === undefined ? {} : { p99Ms }),
      ...(sent === 0 && received === 0 ? {} : { sentPerSecond: sent / seconds, receivedPerSecond: received / seconds }),
    };
  }
}

/** A revision, and which side of a split it is. */
export interface RevisionRole {
  readonly revision: string;
  readonly role: 'stable' | 'canary';
}

/** Which side of a split a revision is; undefined for a Service that is not split, and where nothing tells the revision. */
export type RoleOf = (service: string, revision: string | undefined) => RevisionRole | undefined;

/** The same in a split. @param revision that was called: undefined before there was a split, '' when that is not known */
export function roleIn(
  split: { readonly stable: string; readonly next?: string | undefined } | undefined,
  revision: string | undefined,
): RevisionRole | undefined {
  if (split === undefined || revision === '') return undefined;
  const called = revision ?? split.stable;
  return { revision: called, role: called === split.next ? 'canary' : 'stable' };
}

interface CountedAnswer extends Pick<CallLabels, 'code' | 'flags' | 'grpc' | 'failed'> {
  requests: number;
}

/** One edge in a window, being added up. */
export class EdgeTotals {
  readonly edge: Edge;
  readonly totals = new GoldenTotals();
  /** Calls that were encrypted, and those that were not, as far as that is known. */
  private encrypted = 0;
  private plain = 0;
  private grpc = 0;
  /** Refused since a pool was full. */
  overflow = 0;
  /** Anything of it but what pools refused was counted. */
  isCalled = false;
  private readonly services = new Map<string, number>();
  private readonly answers = new Map<string, CountedAnswer>();
  private readonly revisions = new Map<string, { role: 'stable' | 'canary'; totals: GoldenTotals }>();

  constructor(edge: Edge) {
    this.edge = edge;
  }

  add({ counter, by }: Growth, roleOf: RoleOf): void {
    this.isCalled ||= counter.kind !== 'overflow';
    switch (counter.kind) {
      case 'calls':
      case 'opened':
        this.addCalls(counter.call, by, roleOf);
        break;
      case 'closed':
        // The opening was counted; how the connection fared is known at its end.
        this.addAnswer(counter.call, by);
        break;
      case 'duration':
        for (const totals of this.totalsOf(counter.call, roleOf)) totals.durations.addTo(counter.bucket, by);
        break;
      case 'sent':
      case 'received':
        this.totals[counter.kind] += by;
        break;
      case 'overflow':
        this.overflow += by;
        break;
      default:
    }
  }

  /** The edge as it is shown. @param seconds length of the window @param pool of the caller, where that is known */
  view(seconds: number, pool: PoolFill | undefined): GraphEdge {
    const { edge, encrypted, plain } = this;
    const revisions: EdgeRevision[] = [...this.revisions]
      .map(([revision, { role, totals }]) => ({ revision, role, golden: totals.golden(seconds) }))
      .sort((a, b) => b.role.localeCompare(a.role) || a.revision.localeCompare(b.revision));
    const [service = ''] = [...this.services].sort(([, a], [, b]) => b - a).map(([name]) => name);
    return {
      id: edgeId(edge),
      source: edge.source,
      destination: edge.destination,
      service,
      protocol: edge.transport === 'tcp' ? 'tcp' : this.grpc * 2 > this.totals.requests ? 'grpc' : 'http',
      reporter: edge.reporter,
      golden: this.totals.golden(seconds),
      ...(pool && { pool }),
      mtls: encrypted + plain === 0 ? 'unknown' : plain === 0 ? 'all' : encrypted === 0 ? 'none' : 'some',
      revisions,
      answers: this.mostFrequent(),
    };
  }

  private addCalls(call: CallLabels, by: number, roleOf: RoleOf): void {
    for (const totals of this.totalsOf(call, roleOf)) {
      totals.requests += by;
      totals.failures += call.failed ? by : 0;
    }
    // Of TCP the pool's own counts tell attempts, and flags connections.
    if (this.edge.transport === 'tcp' && call.flags.split(',').includes('UO')) this.overflow += by;
    this.services.set(call.service, (this.services.get(call.service) ?? 0) + by);
    if (call.grpc !== '') this.grpc += by;
    if (call.peer !== '') this.encrypted += by;
    else if (call.reached) this.plain += by;
    if (this.edge.transport === 'http') this.addAnswer(call, by);
  }

  private addAnswer({ code, flags, grpc, failed }: CallLabels, requests: number): void {
    const key = `${code}|${flags}|${grpc}`;
    const answer = this.answers.get(key) ?? { code, flags, grpc, failed, requests: 0 };
    answer.requests += requests;
    this.answers.set(key, answer);
  }

  private totalsOf(call: CallLabels, roleOf: RoleOf): GoldenTotals[] {
    const side = this.edge.reporter === 'source' ? roleOf(call.service, call.revision) : undefined;
    if (side === undefined) return [this.totals];
    const entry = this.revisions.get(side.revision) ?? { role: side.role, totals: new GoldenTotals() };
    this.revisions.set(side.revision, entry);
    return [this.totals, entry.totals];
  }

  private mostFrequent(): Answer[] {
    const sorted = [...this.answers.values()].sort((a, b) => b.requests - a.requests).slice(0, MAX_ANSWERS);
    return sorted.map(({ grpc, ...answer }) => (grpc === '' ? answer : { ...answer, grpc }));
  }
}
