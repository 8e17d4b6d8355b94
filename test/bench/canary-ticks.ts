import type { Canary } from '../../api/canary.ts';
import type { StoreChange } from '../../kube/store.ts';

/** What is seen of Canaries' checks by their status alone, as a watch gives it. Times are in ms. */
export class CanaryTicks {
  /** How much later than due each check was judged: from the end of its window to the moment that the status names. */
  readonly judgedLate: number[] = [];
  /** The same, up to when the written status came out of a watch. */
  readonly writtenLate: number[] = [];
  /** From the moment at which a step's weight was set to the one at which all callers had it. */
  readonly inForce: number[] = [];
  /** Checks that could not be judged when they were due, by what they waited for. */
  readonly unjudged = new Map<string, number>();
  /** Statuses that were written. */
  writes = 0;
  readonly #intervalMs: number;
  #isCounting = false;

  /** @param intervalMs of every check */
  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** Counts from now on. */
  begin(): void {
    this.#isCounting = true;
  }

  /** No longer counts. */
  end(): void {
    this.#isCounting = false;
  }

  /** Takes a change of a Canary. @param at when it came, in ms since the epoch */
  take({ object, previous }: StoreChange<Canary>, at: number): void {
    if (!this.#isCounting || object?.status === undefined || previous?.status === undefined) return;
    this.writes += 1;
    const { status } = object;
    const before = previous.status;
    // The moment of every step on.
    const moment = Date.parse(status.lastProgressTime ?? '');
    const isNew = before.stepStartTime === undefined;
    const begun = isNew && status.stepStartTime !== undefined && status.step === before.step ? moment : undefined;
    // How long its window was stands in its round.
    const [round] = status.rounds ?? [];
    if (round?.verdict === 'Passed' && round.time !== before.rounds?.[0]?.time) {
      const judged = Date.parse(round.time);
      const { elapsedMs } = round.inputs;
      this.judgedLate.push(elapsedMs - this.#intervalMs);
      this.writtenLate.push(at - judged + elapsedMs - this.#intervalMs);
    } else if (status.phase === 'Waiting' && status.verdict !== undefined) {
      this.unjudged.set(status.verdict, (this.unjudged.get(status.verdict) ?? 0) + 1);
    }
    if (begun !== undefined) this.inForce.push(begun - Date.parse(before.lastProgressTime ?? ''));
  }
}
