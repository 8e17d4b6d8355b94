import type { ObjectRef } from '../mesh/object-ref.ts';
import { type DryRun, readDryRun } from './dry-run.ts';
import { Durations } from './durations.ts';
import { isFlowKey } from './flow-series.ts';
import type { TrafficHistory } from './history/traffic-history.ts';
import { decodeLabels, decodeMetricsMessage, type MetricsMessage } from './metrics-message.ts';
import { overflowLabels } from './open-series.ts';
import type { OpenTable } from './open-table.ts';
import { type Outcome, readOutcome } from './outcome.ts';
import { readRefusal, refusalLabels } from './refusals.ts';
import { Reporter } from './reporter.ts';
import { type Cell, TimeSlices } from './time-slices.ts';
import type { RevisionTraffic, TrafficAnswer, TrafficQuery, TrafficSource } from './traffic.ts';

/** What the ledger needs to know of a pod. */
export interface ReportingWorkload {
  readonly namespace: string;
  /** `pod-template-hash` or `controller-revision-hash`; '' when it has none. */
  readonly revision: string;
}

export interface LedgerPorts {
  /** The workload of a pod; undefined when the pod is gone. */
  workload(podUid: string): ReportingWorkload | undefined;
  /** The stable revision of a Service that a Canary splits; undefined when none does. */
  stableRevision(hostname: string): string | undefined;
  /** Whether a policy is in the inbound side of a pod: nobody else is heard on what it refuses. */
  isPolicyOf(podUid: string, policy: ObjectRef): boolean;
  /** Is told of all that is counted, as it is counted here: nothing is taken twice. */
  readonly history?: Pick<TrafficHistory, 'reported' | 'count' | 'durations' | 'refused' | 'overflow'>;
  /** Is told what is open at each proxy. */
  readonly open?: Pick<OpenTable, 'take' | 'forget'>;
  /** Ms since the epoch. */
  now?(): number;
}

/** A proxy that did not report for so long, in ms, makes the answer incomplete: three flushes. */
const STALE_MS = 15_000;
/** After so long, in ms, it is given up: it most likely will not come back. */
const LOST_MS = 60_000;
/** Label sets that are kept decoded. */
const MAX_OUTCOMES = 50_000;

/**
 * The requests that the proxies counted in the last quarter of an hour, by Service and revision, from both sides of the call.
 * Increments count for the moment their report arrived, which is at most one flush after the requests.
 */
export class TrafficLedger implements TrafficSource {
  private readonly ports: LedgerPorts;
  /** When it began to take reports, in ms since the epoch. */
  readonly startedAt: number;
  private readonly reporters = new Map<string, Reporter>();
  private readonly outcomes = new Map<string, Outcome | undefined>();
  private readonly slices = new TimeSlices();
  /** When each proxy last reported a subject, for as long as slices are kept. */
  private readonly seen = new Map<string, Map<string, number>>();
  private sweptAt = 0;

  constructor(ports: LedgerPorts) {
    this.ports = ports;
    this.startedAt = this.now();
  }

  /**
   * Takes one encoded StreamMetricsMessage of an authenticated proxy.
   * @throws Error when the bytes are malformed
   */
  receive(proxy: { readonly uid: string }, bytes: Uint8Array): void {
    this.record(proxy.uid, decodeMetricsMessage(bytes));
  }

  /** Takes one message of the proxy of a pod. */
  record(podUid: string, message: MetricsMessage): void {
    const now = this.now();
    this.sweep(now);
    const workload = this.ports.workload(podUid);
    if (workload === undefined) {
      return;
    }
    let reporter = this.reporters.get(podUid);
    if (reporter === undefined) {
      reporter = new Reporter(this.startedAt);
      this.reporters.set(podUid, reporter);
    }
    const { history } = this.ports;
    history?.reported(podUid, now);
    if (message.open?.length) this.ports.open?.take(podUid, message.open);
    for (const { key, value } of message.sizes ?? []) history?.count(podUid, key, value, now);
    for (const { key, value } of reporter.take(message, now)) {
      if (isFlowKey(key)) {
        if (value > 0) history?.count(podUid, key, value, now);
        continue;
      }
      const dryRun = readDryRun(key);
      if (dryRun !== undefined) {
        this.countDryRun(dryRun, value, now);
        continue;
      }
      const overflow = overflowLabels(key);
      if (overflow !== undefined) {
        if (value > 0) history?.overflow(podUid, overflow, value, now);
        continue;
      }
      const labels = refusalLabels(key);
      if (labels !== undefined) {
        if (value > 0) this.countRefusal(podUid, labels, value, now);
        continue;
      }
      if (value > 0) history?.count(podUid, key, value, now);
      const outcome = this.outcome(key);
      const subject = outcome && this.subjectOf(outcome, workload);
      if (outcome === undefined || subject === undefined) {
        continue;
      }
      this.markSeen(subject, podUid, now);
      if (outcome.side === 'caller') this.markSeen(callsSubject(outcome.service), podUid, now);
      if (value > 0) {
        const cell = this.slices.cell(now, subject);
        cell.requests += value;
        cell.failures += outcome.failed ? value : 0;
      }
    }
    // Envoy gives durations of the last interval only, so that they need no difference to be taken.
    history?.durations(podUid, message.durations, now);
    for (const { key, value } of message.durations) {
      const outcome = this.outcome(key);
      const subject = outcome && this.subjectOf(outcome, workload);
      if (subject !== undefined && value.total > 0) {
        this.slices.cell(now, subject).durations.add(value);
      }
    }
  }

  window(query: TrafficQuery): TrafficAnswer {
    const callers = query.services.map((service) => callerSubject(service, query.revision));
    const served = ['', ...query.services].map((service) => serverSubject(query.namespace, query.revision, service));
    return {
      callers: this.sum(callers, query),
      served: this.sum(served, query),
      complete: this.isComplete([...callers, ...served], query),
    };
  }

  /** What a policy in dry run (see `dryRunToken`) would have denied, of all it was asked, in a window [since, until) in ms since the epoch. */
  dryRun(policy: string, since: number, until: number): { readonly denied: number; readonly asked: number } {
    const { requests, failures } = this.sum([policy], { since, until });
    return { denied: failures, asked: requests };
  }

  /** What a policy refused in a window [since, until) in ms since the epoch, and of that, what others may have decided as well. */
  refused(policy: ObjectRef, since: number, until: number): { readonly refused: number; readonly shared: number } {
    const { requests, failures } = this.sum([refusalSubject(policy)], { since, until });
    return { refused: requests, shared: failures };
  }

  /** When a proxy last reported anything, in ms since the epoch; undefined when it never did. */
  lastReport(podUid: string): number | undefined {
    return this.reporters.get(podUid)?.lastReport;
  }

  /** UIDs of the pods that counted calls of any of the Services, whatever the revision, in the time that is kept. */
  callersOf(services: readonly string[]): ReadonlySet<string> {
    return new Set(services.flatMap((service) => [...(this.seen.get(callsSubject(service))?.keys() ?? [])]));
  }

  private countDryRun({ policy, denied }: DryRun, value: number, now: number): void {
    if (value === 0) return;
    const cell = this.slices.cell(now, policy);
    cell.requests += value;
    cell.failures += denied ? value : 0;
  }

  private countRefusal(podUid: string, labels: string, value: number, now: number): void {
    const refusal = readRefusal(decodeLabels(labels));
    if (refusal === undefined || !this.ports.isPolicyOf(podUid, refusal.policy)) return;
    this.ports.history?.refused(podUid, refusal, value, now);
    const cell = this.slices.cell(now, refusalSubject(refusal.policy));
    cell.requests += value;
    cell.failures += refusal.shared ? value : 0;
  }

  private sum(subjects: readonly string[], { since, until }: Pick<TrafficQuery, 'since' | 'until'>): RevisionTraffic {
    let requests = 0;
    let failures = 0;
    const durations = new Durations();
    const add = (cell: Cell): void => {
      requests += cell.requests;
      failures += cell.failures;
      durations.merge(cell.durations);
    };
    for (const subject of new Set(subjects)) {
      this.slices.each(since, until, subject, add);
    }
    const reporters = new Set<string>();
    for (const subject of subjects) {
      for (const [uid, at] of this.seen.get(subject) ?? []) {
        if (at >= since) {
          reporters.add(uid);
        }
      }
    }
    const p99Ms = durations.quantile(0.99);
    return { requests, failures, p99Ms, durations: durations.buckets(), reporters: reporters.size };
  }

  /** Proxies that counted the subject before and still exist must have reported lately, and the whole window must be kept. */
  private isComplete(subjects: readonly string[], { since, until }: TrafficQuery): boolean {
    if (since < Math.max(this.startedAt, this.slices.keptSince)) {
      return false;
    }
    for (const subject of subjects) {
      for (const uid of this.seen.get(subject)?.keys() ?? []) {
        const age = until - (this.reporters.get(uid)?.lastReport ?? 0);
        if (age > STALE_MS && age <= LOST_MS && this.ports.workload(uid) !== undefined) {
          return false;
        }
      }
    }
    return true;
  }

  private subjectOf(outcome: Outcome, workload: ReportingWorkload): string {
    if (outcome.side === 'server') {
      return serverSubject(workload.namespace, workload.revision, outcome.service);
    }
    return callerSubject(outcome.service, outcome.revision ?? this.ports.stableRevision(outcome.service) ?? '');
  }

  private outcome(key: string): Outcome | undefined {
    if (!this.outcomes.has(key)) {
      if (this.outcomes.size >= MAX_OUTCOMES) {
        this.outcomes.clear();
      }
      this.outcomes.set(key, readOutcome(decodeLabels(key)));
    }
    return this.outcomes.get(key);
  }

  private markSeen(subject: string, podUid: string, now: number): void {
    let proxies = this.seen.get(subject);
    if (proxies === undefined) {
      proxies = new Map();
      this.seen.set(subject, proxies);
    }
    proxies.set(podUid, now);
  }

  /** Forgets proxies that are gone, and subjects that nobody reports any more. */
  private sweep(now: number): void {
    if (now - this.sweptAt < STALE_MS) {
      return;
    }
    this.sweptAt = now;
    this.slices.prune(now);
    for (const [uid, { lastReport }] of this.reporters) {
      if (now - lastReport > LOST_MS && this.ports.workload(uid) === undefined) {
        this.reporters.delete(uid);
        this.ports.open?.forget(uid);
      }
    }
    for (const [subject, proxies] of this.seen) {
      for (const [uid, at] of proxies) {
        if (at < this.slices.keptSince) {
          proxies.delete(uid);
        }
      }
      if (proxies.size === 0) {
        this.seen.delete(subject);
      }
    }
  }

  private now(): number {
    return this.ports.now?.() ?? Date.now();
  }
}

function refusalSubject({ kind, namespace, name }: ObjectRef): string {
  return `refused|${kind}|${namespace}|${name}`;
}

function callerSubject(service: string, revision: string): string {
  return `caller|${service}|${revision}`;
}

/** Calls of a Service, whichever revision answers; proxies are seen with it, and nothing is counted. */
function callsSubject(service: string): string {
  return `calls|${service}`;
}

function serverSubject(namespace: string, revision: string, service: string): string {
  return `server|${namespace}|${revision}|${service}`;
}
