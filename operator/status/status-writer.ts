import { policiesOfServer } from '../mesh/authorization.ts';
import { type ObjectKey, type ObjectRef, objectKey } from '../mesh/object-ref.ts';
import type { MeshDelta, MeshSnapshot, Workload, WorkloadUid } from '../mesh/snapshot.ts';
import { Absence } from './absence.ts';
import { type Clock, systemClock } from './clock.ts';
import type { EnforcementSource } from './enforcement.ts';
import { JudgementLoop } from './judgement-loop.ts';
import type { CountsSource } from './lost-counts.ts';
import type { PolicyObject, PolicyObjects } from './policy-objects.ts';
import { newRow, type PolicyRow } from './policy-row.ts';
import { PolicyWatch } from './policy-watch.ts';
import { ResyncRound } from './resync-round.ts';
import { type FindingSource, judgePolicy, sameStatus } from './status-judge.ts';
import { WorkloadIndex } from './workload-index.ts';

/** What the writer works with; all times in ms. */
export interface StatusWriterOptions {
  readonly objects: PolicyObjects;
  readonly enforcement: EnforcementSource;
  /** What policies came to; asked at each look. Each other sentence is a write, so one is to stand for a while. Default: nothing is known. */
  readonly findings?: FindingSource;
  /** Whether counts of global limits can be asked. Default: they can. */
  readonly counts?: CountsSource;
  readonly clock?: Clock;
  /** A change waits this long, so that the proxies' answers to it go into the same write; default 300. */
  readonly settleMs?: number;
  /** So long after a change nothing is written while proxies have yet to answer: the next write could say so only much later; default 1,500. */
  readonly answerMs?: number;
  /** Least time between two writes of one object; default 5,000. */
  readonly intervalMs?: number;
  /** How long a proxy may be without a report before it counts as missing; default 15,000. */
  readonly graceMs?: number;
  /** Writes per second over all objects; default 20. */
  readonly writesPerSecond?: number;
  /** Proxies asked about per second over all objects, one judgement being worth at least 20; default 50,000. */
  readonly checksPerSecond?: number;
  /** After this time policies are looked at again, whatever was missed, all of them or as many as a part of the budget is for; default 60,000. */
  readonly resyncMs?: number;
  /** Told of writes that the API server did not take; they are tried again. */
  readonly onError?: (ref: ObjectRef, error: unknown) => void;
}

type Settings = Required<Omit<StatusWriterOptions, 'onError'>> & Pick<StatusWriterOptions, 'onError'>;

/** What a judgement costs besides the proxies it asks about, in the worth of one of these. */
const BASE_CHECKS = 20;
/** Part of the budget that a resync may use. */
const RESYNC_SHARE = 0.2;
/** So long after a change its policy goes before others. */
const RECENT_MS = 60_000;
const LONGEST_RETRY_MS = 60_000;

/**
 * Writes the conditions of policies while this replica leads: Accepted and Conflicted from the snapshot, Programmed from
 * what the proxies acknowledged. Writes are coalesced and only made when something differs. What it costs is bounded by
 * budgets: with very many policies and proxies, those that nobody changed of late are followed when their turn comes.
 */
export class StatusWriter {
  readonly #options: Settings;
  readonly #rows = new Map<ObjectKey, PolicyRow>();
  readonly #loop: JudgementLoop<PolicyRow>;
  readonly #watch = new PolicyWatch();
  readonly #workloads = new WorkloadIndex();
  readonly #absence: Absence;
  readonly #round = new ResyncRound();
  #snapshot: MeshSnapshot | undefined;
  #leading = false;
  #unsubscribe: (() => void) | undefined;
  #cancelResync: (() => void) | undefined;

  constructor(options: StatusWriterOptions) {
    const times = { settleMs: 300, answerMs: 1500, intervalMs: 5000, graceMs: 15_000, resyncMs: 60_000 };
    this.#options = {
      clock: systemClock,
      findings: () => undefined,
      counts: { problem: () => undefined, onChange: () => () => {} },
      ...times,
      writesPerSecond: 20,
      checksPerSecond: 50_000,
      ...options,
    };
    this.#absence = new Absence(this.#options.graceMs);
    this.#loop = new JudgementLoop(this.#options, (row) => this.#judge(row));
  }

  /** Takes the next snapshot; to be called whether this replica leads or not. */
  update(snapshot: MeshSnapshot, delta: MeshDelta): void {
    const before = this.#snapshot;
    this.#snapshot = snapshot;
    const workloads = this.#workloads.update(snapshot, delta);
    if (!this.#leading) return;
    for (const key of delta.policies) {
      const ref = (snapshot.policies.get(key) ?? before?.policies.get(key))?.object;
      if (ref !== undefined) this.#takeChange(ref);
    }
    this.#followInbound(delta.workloads);
    this.#followWorkloads(workloads);
    for (const row of this.#watch.usedSince(delta)) this.#follow(row);
  }

  /** To be called when a policy's object changed: it may have been made anew, or somebody wrote over its status. */
  refresh(ref: ObjectRef): void {
    if (!this.#leading) return;
    const row = this.#rows.get(objectKey(ref));
    const object = this.#options.objects.get(ref);
    const written = row?.written;
    // Our own write came back; of what else may have changed of the object, the snapshot tells.
    if (written !== undefined && object?.uid === written.uid && sameStatus(object.status, written.status)) return;
    if (row !== undefined && !row.writing) row.written = undefined;
    this.#takeChange(ref);
  }

  /** Begins to write: this replica leads now. */
  start(): void {
    if (this.#leading) return;
    this.#leading = true;
    const { enforcement, counts } = this.#options;
    const ends = [enforcement.onChange((uids) => this.#takeAcks(uids)), counts.onChange(() => this.#followCounted())];
    this.#unsubscribe = () => {
      for (const end of ends) end();
    };
    for (const { object } of this.#snapshot?.policies.values() ?? []) this.#follow(this.#rowOf(object));
    // What is not judged any more since there was an operator: what was said of it is to be taken back.
    for (const ref of this.#options.objects.withStatus()) {
      if (this.#snapshot?.policies.has(objectKey(ref)) !== true) this.#follow(this.#rowOf(ref));
    }
    this.#scheduleResync();
  }

  /** Ends writing: this replica leads no longer. A write under way is not called back. */
  stop(): void {
    this.#leading = false;
    this.#unsubscribe?.();
    this.#cancelResync?.();
    this.#loop.clear();
    this.#rows.clear();
    this.#watch.clear();
    this.#absence.forget();
  }

  #scheduleResync(): void {
    const { clock, resyncMs, checksPerSecond } = this.#options;
    this.#cancelResync = clock.after(resyncMs, () => {
      const isGone = (uid: WorkloadUid): boolean => this.#snapshot?.workloads.has(uid) !== true;
      this.#absence.forget(isGone);
      this.#watch.forgetProxies(isGone);
      const refs = [...(this.#snapshot?.policies.values() ?? [])].map(({ object }) => object);
      const costOf = (ref: ObjectRef): number => BASE_CHECKS + (this.#rows.get(objectKey(ref))?.looked ?? 0);
      const share = (checksPerSecond * RESYNC_SHARE * resyncMs) / 1000;
      for (const ref of this.#round.next(refs, costOf, share)) this.#follow(this.#rowOf(ref));
      this.#scheduleResync();
    });
  }

  /** Counts are lost, or there again. */
  #followCounted(): void {
    for (const { object, failureMode } of this.#snapshot?.policies.values() ?? []) {
      if (failureMode !== undefined) this.#takeChange(object);
    }
  }

  #takeChange(ref: ObjectRef): void {
    const row = this.#rowOf(ref);
    if (row !== undefined) row.changedAt = this.#options.clock.now();
    this.#follow(row);
  }

  #takeAcks(uids: ReadonlySet<WorkloadUid>): void {
    const { enforcement } = this.#options;
    this.#followInbound(uids);
    for (const uid of uids) {
      for (const row of this.#watch.heldBy(uid)) this.#follow(row);
      const reports = enforcement.reports(uid);
      if (reports) this.#absence.seen(uid);
      const worse = this.#watch.refusesAnew(uid, enforcement.refuses(uid)) || !reports;
      const workload = worse ? this.#snapshot?.workloads.get(uid) : undefined;
      if (workload !== undefined) this.#followWorkloads([workload]);
    }
    for (const row of this.#watch.crowded()) this.#follow(row);
  }

  /** Policies of what workloads serve are named by these; there are few for each. */
  #followInbound(uids: Iterable<WorkloadUid>): void {
    for (const uid of uids) {
      for (const ref of policiesOfServer(this.#snapshot?.workloads.get(uid))) this.#follow(this.#rowOf(ref));
    }
  }

  #followWorkloads(workloads: readonly Workload[]): void {
    for (const { uid } of workloads) for (const row of this.#watch.heldBy(uid)) this.#follow(row);
    for (const namespace of new Set(workloads.map((workload) => workload.namespace))) {
      for (const row of this.#watch.reaching(namespace)) this.#follow(row);
    }
  }

  /** @returns undefined for kinds whose status is not ours to write */
  #rowOf(ref: ObjectRef): PolicyRow | undefined {
    if (!this.#options.objects.kinds.has(ref.kind)) return undefined;
    const key = objectKey(ref);
    const row = this.#rows.get(key) ?? newRow(ref);
    this.#rows.set(key, row);
    return row;
  }

  /** Has a policy looked at: before others when it changed of late, else in its turn. */
  #follow(row: PolicyRow | undefined): void {
    if (row === undefined) return;
    this.#watch.leave(row);
    const now = this.#options.clock.now();
    const at = Math.max(now + this.#options.settleMs, row.notBefore);
    if (at === now + this.#options.settleMs && now - row.changedAt > RECENT_MS) this.#loop.addIdle(row, at);
    else this.#loop.add(row, at);
  }

  /** @returns what it cost */
  #judge(row: PolicyRow): number {
    if (row.writing) {
      row.again = true;
      return 1;
    }
    const { objects, clock, enforcement, findings, counts } = this.#options;
    const object = objects.get(row.ref);
    if (object === undefined || this.#snapshot === undefined) {
      this.#watch.leave(row);
      this.#rows.delete(row.key);
      return 1;
    }
    const present = row.written?.uid === object.uid ? row.written.status : object.status;
    const now = clock.now();
    const [snapshot, workloads, absence] = [this.#snapshot, this.#workloads, this.#absence];
    const context = { snapshot, workloads, enforcement, absence, findings, counts };
    const { wanted, reach, count } = judgePolicy(row.key, present, context, now);
    row.looked = count.looked;
    this.#watch.judged(row, reach, count);
    if (Number.isFinite(count.graceMs)) this.#loop.add(row, Math.max(now + count.graceMs, row.notBefore));
    if (wanted !== undefined && !sameStatus(wanted, present)) {
      const { waiting, refused } = count.enforcement;
      const answersBy = row.changedAt + this.#options.answerMs;
      if (waiting.length > 0 && refused.length === 0 && now < answersBy) {
        // An ACK has it looked at before that.
        this.#loop.add(row, answersBy);
        return BASE_CHECKS + count.looked;
      }
      void this.#write(row, { uid: object.uid, status: wanted });
    }
    return BASE_CHECKS + count.looked;
  }

  async #write(row: PolicyRow, object: PolicyObject): Promise<void> {
    const { objects, clock, intervalMs, onError } = this.#options;
    this.#loop.spendWrite();
    row.writing = true;
    row.written = object;
    try {
      await objects.applyStatus(row.ref, object.uid, object.status);
      row.failures = 0;
      row.notBefore = clock.now() + intervalMs;
    } catch (error) {
      row.written = undefined;
      row.failures += 1;
      row.notBefore = clock.now() + Math.min(LONGEST_RETRY_MS, intervalMs * 2 ** (row.failures - 1));
      row.again = true;
      onError?.(row.ref, error);
    }
    row.writing = false;
    // Another row may stand for the policy by now: this replica may have lost the lead and won it again.
    if (row.again && this.#rows.get(row.key) === row) this.#loop.add(row, row.notBefore);
    row.again = false;
  }
}
