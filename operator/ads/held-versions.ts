import { numbersOf } from './name-numbers.ts';
import { VersionTable } from './name-table.ts';

/** Marks, in place of a version, a name of which the proxy was told that it does not exist. */
export const ABSENT = '';

/** Marks a version that is not known, and none of ours. */
const DOUBTFUL = '?';

/** Which versions of what a proxy holds: what it was sent, and, until it answers, what it had before. */
export class HeldVersions {
  private readonly sent: VersionTable;
  /** Sent but not acknowledged: the version that was acknowledged before. */
  private readonly unacknowledged = new Map<string, string | undefined>();
  /** Names of the same that the proxy had nothing of: thousands for one that joins, of which mostly nothing is asked before it answers. */
  private arrivals: string[] = [];

  constructor(typeUrl: string) {
    this.sent = new VersionTable(numbersOf(typeUrl));
  }

  /** What was sent last, or what the proxy said itself that it holds; `ABSENT` where it was told that there is nothing. */
  get(name: string): string | undefined {
    return this.sent.get(name);
  }

  /** How many names there are with either. */
  get size(): number {
    return this.sent.size;
  }

  /** Names with a version, or with `ABSENT`. */
  names(): Iterable<string> {
    return this.sent.names();
  }

  /** Whether the proxy has the resource. */
  has(name: string): boolean {
    const version = this.sent.get(name);
    return version !== undefined && version !== ABSENT;
  }

  /** Whether the proxy has nothing of the name, whether it takes what it was sent or not. */
  isAbsent(name: string): boolean {
    this.countArrivals();
    return [this.unacknowledged.get(name), this.sent.get(name)].every((one) => one === undefined || one === ABSENT);
  }

  /** Takes in what the proxy says that it holds. */
  claim(name: string, version: string): void {
    this.sent.set(name, version);
  }

  /** Notes what is being sent; undefined: that it is to go. */
  send(name: string, version: string | undefined): void {
    const before = this.sent.get(name);
    if (this.unacknowledged.size === 0 || !this.unacknowledged.has(name)) {
      if (before === undefined && version !== undefined) this.arrivals.push(name);
      else this.unacknowledged.set(name, before);
    }
    if (version === undefined) this.sent.delete(name);
    else this.sent.set(name, version);
  }

  acknowledge(name: string): void {
    this.countArrivals();
    this.unacknowledged.delete(name);
  }

  /** The proxy took all of what was sent last. */
  acknowledgeAll(names: readonly string[]): void {
    this.arrivals = [];
    if (this.unacknowledged.size > 0) for (const name of names) this.unacknowledged.delete(name);
  }

  /** What was sent was refused, and is not sent again. Envoy removes what a response removes though it refuses it. */
  refuse(name: string): void {
    this.countArrivals();
    if (!this.has(name) && !this.isAbsent(name)) this.unacknowledged.set(name, DOUBTFUL);
  }

  /** What was sent was refused and goes again: the proxy has what it had before, or is to be told again that it is gone. */
  retry(name: string): void {
    this.refuse(name);
    const before = this.unacknowledged.get(name);
    const sent = this.sent.get(name);
    // It came into doubt after that was sent.
    if (sent === DOUBTFUL) return;
    if (before === undefined) this.sent.delete(name);
    else this.sent.set(name, before === sent && before !== ABSENT ? DOUBTFUL : before);
  }

  /** The proxy is to be sent the resource whatever it holds, or told that it is gone, and uses what it has until then. */
  forget(name: string): void {
    const version = this.sent.get(name);
    if (version === undefined) return;
    this.countArrivals();
    if (!this.unacknowledged.has(name)) this.unacknowledged.set(name, version);
    if (version === ABSENT) this.sent.delete(name);
    else this.sent.set(name, DOUBTFUL);
  }

  /** The proxy does not have the resource, though it says so: it is to be sent it, or told that it is gone. */
  doubt(name: string): void {
    this.countArrivals();
    this.unacknowledged.delete(name);
    this.sent.set(name, DOUBTFUL);
  }

  /** The proxy no longer has the resource. */
  drop(name: string): void {
    this.countArrivals();
    this.sent.delete(name);
    this.unacknowledged.delete(name);
  }

  /** The version of a resource that the proxy has put in force; undefined when none. */
  acknowledged(name: string): string | undefined {
    this.countArrivals();
    const version = this.unacknowledged.has(name) ? this.unacknowledged.get(name) : this.sent.get(name);
    return version === ABSENT || version === DOUBTFUL ? undefined : version;
  }

  /** Counts arrivals among what is not acknowledged, one by one. */
  private countArrivals(): void {
    if (this.arrivals.length === 0) return;
    for (const name of this.arrivals) this.unacknowledged.set(name, undefined);
    this.arrivals = [];
  }
}
