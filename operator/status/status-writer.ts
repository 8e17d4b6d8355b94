import { mergeConditions } from '../../kube/status.ts';
import { sameValue } from '../mesh/equality.ts';
import { type ObjectKey, type ObjectRef, objectKey } from '../mesh/object-ref.ts';
import type { MeshDelta, MeshSnapshot, WorkloadUid } from '../mesh/snapshot.ts';
import { Absence } from './absence.ts';
import { type Clock, systemClock } from './clock.ts';
import { buildConditions } from './conditions.ts';
import { countEnforcement, type EnforcementSource } from './enforcement.ts';
import type { PolicyObject, PolicyObjects, PolicyStatus } from './policy-objects.ts';
import { WriteBudget } from './write-budget.ts';

/** What the writer works with; all times in ms. */
export interface StatusWriterOptions {
  readonly objects: PolicyObjects;
  readonly enforcement: EnforcementSource;
  readonly clock?: Clock;
  /** A change waits this long, so that the proxies' answers to it go into the same write; default 300. */
  readonly settleMs?: number;
  /** Least time between two writes of one object; default 5,000. */
  readonly intervalMs?: number;
  /** How long a proxy may be without a report before it counts as missing; default 15,000. */
  readonly graceMs?: number;
  /** Writes per second over all objects; default 20. */
  readonly writesPerSecond?: number;
  /** Everything is looked at again after this time, whatever was missed; default 60,000. */
  readonly resyncMs?: number;
  /** Told of writes that the API server did not take; they are tried again. */
  readonly onError?: (ref: ObjectRef, error: unknown) => void;
}

interface Row {
  readonly ref: ObjectRef;
  /** When it is to be looked at; undefined when nothing is to be done. */
  due: number | undefined;
  notBefore: number;
  writing: boolean;
  failures: number;
  /** What was written last, until the store shows it. */
  written: PolicyObject | undefined;
}

/** Objects looked at in one go, so that the event loop is free in between. */
const BATCH = 50;
const LONGEST_RETRY_MS = 60_000;

/**
 * Writes the conditions of policies while this replica leads: Accepted and Conflicted from the snapshot, Programmed from
 * what the proxies acknowledged. Writes are coalesced and only made when something differs.
 */
export class StatusWriter {
  readonly #options: Required<Omit<StatusWriterOptions, 'onError'>> & Pick<StatusWriterOptions, 'onError'>;
  readonly #rows = new Map<ObjectKey, Row>();
  readonly #absence: Absence;
  readonly #budget: WriteBudget;
  #snapshot: MeshSnapshot | undefined;
  #leading = false;
  #wake: { readonly at: number; readonly cancel: () => void } | undefined;
  #unsubscribe: (() => void) | undefined;
  #cancelResync: (() => void) | undefined;

  constructor(options: StatusWriterOptions) {
    const defaults = { clock: systemClock, settleMs: 300, intervalMs: 5000, graceMs: 15_000, resyncMs: 60_000 };
    this.#options = { ...defaults, writesPerSecond: 20, ...options };
    this.#absence = new Absence(this.#options.graceMs);
    this.#budget = new WriteBudget(this.#options.clock, this.#options.writesPerSecond);
  }

  /** Takes the next snapshot; to be called whether this replica leads or not. */
  update(snapshot: MeshSnapshot, delta: MeshDelta): void {
    const before = this.#snapshot;
    this.#snapshot = snapshot;
    if (!this.#leading) return;
    for (const key of delta.policies) {
      const ref = (snapshot.policies.get(key) ?? before?.policies.get(key))?.object;
      if (ref !== undefined) this.#mark(ref);
    }
    this.#markWorkloads(delta.workloads);
  }

  /** To be called when a policy's object changed: it may have been made anew, or somebody wrote over its status. */
  refresh(ref: ObjectRef): void {
    const row = this.#rows.get(objectKey(ref));
    if (row !== undefined && !row.writing) row.written = undefined;
    this.#mark(ref);
  }

  /** Begins to write: this replica leads now. */
  start(): void {
    if (this.#leading) return;
    this.#leading = true;
    this.#unsubscribe = this.#options.enforcement.onChange((uids) => this.#markWorkloads(uids));
    this.#resync();
  }

  /** Ends writing: this replica leads no longer. A write under way is not called back. */
  stop(): void {
    this.#leading = false;
    this.#unsubscribe?.();
    this.#cancelResync?.();
    this.#wake?.cancel();
    this.#wake = undefined;
    this.#rows.clear();
    this.#absence.forget();
  }

  #resync(): void {
    for (const { object } of this.#snapshot?.policies.values() ?? []) this.#mark(object);
    this.#absence.forget((uid) => this.#snapshot?.workloads.has(uid) !== true);
    this.#cancelResync = this.#options.clock.after(this.#options.resyncMs, () => this.#resync());
  }

  #markWorkloads(uids: ReadonlySet<WorkloadUid>): void {
    for (const uid of uids) {
      for (const ref of this.#snapshot?.workloads.get(uid)?.mtls.policies ?? []) this.#mark(ref);
    }
  }

  #mark(ref: ObjectRef, delay = this.#options.settleMs): void {
    if (!this.#leading || !this.#options.objects.kinds.has(ref.kind)) return;
    const key = objectKey(ref);
    const idle = { ref, due: undefined, notBefore: 0, writing: false, failures: 0, written: undefined };
    const row: Row = this.#rows.get(key) ?? idle;
    this.#rows.set(key, row);
    const due = Math.max(this.#options.clock.now() + delay, row.notBefore);
    row.due = Math.min(row.due ?? due, due);
    if (!row.writing) this.#wakeAt(row.due);
  }

  #wakeAt(at: number): void {
    if (this.#wake !== undefined && this.#wake.at <= at) return;
    this.#wake?.cancel();
    const cancel = this.#options.clock.after(Math.max(0, at - this.#options.clock.now()), () => {
      this.#wake = undefined;
      this.#work();
    });
    this.#wake = { at, cancel };
  }

  #work(): void {
    const now = this.#options.clock.now();
    const dueRows = [...this.#rows.values()].filter((row) => !row.writing && row.due !== undefined && row.due <= now);
    for (const row of dueRows.slice(0, BATCH)) {
      row.due = undefined;
      this.#judge(row);
    }
    let next = Number.POSITIVE_INFINITY;
    for (const { due, writing } of this.#rows.values()) if (due !== undefined && !writing) next = Math.min(next, due);
    if (next < Number.POSITIVE_INFINITY) this.#wakeAt(next);
  }

  #judge(row: Row): void {
    const object = this.#options.objects.get(row.ref);
    if (object === undefined) {
      this.#rows.delete(objectKey(row.ref));
      return;
    }
    const present = row.written?.uid === object.uid ? row.written.status : object.status;
    const wanted = this.#buildStatus(row, present);
    if (wanted === undefined || sameStatus(wanted, present)) return;
    const wait = this.#budget.take();
    if (wait > 0) {
      row.due = this.#options.clock.now() + wait;
      return;
    }
    void this.#write(row, { uid: object.uid, status: wanted });
  }

  /** @returns undefined when there is nothing to say */
  #buildStatus(row: Row, present: PolicyStatus): PolicyStatus | undefined {
    if (this.#snapshot === undefined) return undefined;
    const key = objectKey(row.ref);
    const view = this.#snapshot.policies.get(key);
    const conditions = present.conditions ?? [];
    const programmed = conditions.find(({ type }) => type === 'Programmed');
    // Its namespace is not ours any more: what we said of it is taken back, what others say of it stands.
    if (view === undefined) return programmed && {};
    const { enforcement, clock, graceMs } = this.#options;
    const now = clock.now();
    const counted = countEnforcement(this.#snapshot, view, key, enforcement, this.#absence, now);
    if (counted.reconnecting.length > 0) this.#mark(row.ref, graceMs);
    const wanted = buildConditions(view, counted, programmed);
    const time = `${new Date(now).toISOString().slice(0, 19)}Z`;
    return { observedGeneration: view.generation, conditions: mergeConditions(conditions, wanted, time) };
  }

  async #write(row: Row, object: PolicyObject): Promise<void> {
    const { objects, clock, intervalMs, onError } = this.#options;
    row.writing = true;
    try {
      await objects.applyStatus(row.ref, object.uid, object.status);
      row.written = object;
      row.failures = 0;
      row.notBefore = clock.now() + intervalMs;
      if (row.due !== undefined) row.due = Math.max(row.due, row.notBefore);
    } catch (error) {
      row.failures += 1;
      row.notBefore = clock.now() + Math.min(LONGEST_RETRY_MS, intervalMs * 2 ** (row.failures - 1));
      row.due = row.notBefore;
      onError?.(row.ref, error);
    }
    row.writing = false;
    if (this.#leading && row.due !== undefined) this.#wakeAt(row.due);
  }
}

function sameStatus(a: PolicyStatus, b: PolicyStatus): boolean {
  return a.observedGeneration === b.observedGeneration && sameValue(a.conditions ?? [], b.conditions ?? []);
}
