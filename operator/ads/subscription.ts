import { VIRTUAL_HOST_TYPE, type XdsResource } from '../xds/resource.ts';
import { Collections, type RouteHolding } from './collections.ts';
import { ABSENT, HeldVersions } from './held-versions.ts';
import { numbersOf } from './name-numbers.ts';
import { NameSet } from './name-table.ts';
import type { InFlight, Pending } from './pending.ts';
import { blame, type Rejection } from './rejection.ts';
import type { KnownRequest } from './shared-names.ts';

/**
 * One type on one stream: what the proxy asked for, what it holds, and what may differ. There is no queue: a name is dirty
 * or it is not, and the newest state is looked up when it is sent.
 */
export class Subscription {
  readonly typeUrl: string;
  /** Names asked for one by one; kept apart from the wildcard. */
  readonly names: NameSet;
  /** Names that are as if it had asked for them: they were sent ahead, before a request needed them. */
  readonly ahead: Set<string>;
  readonly collections = new Collections();
  readonly dirty = new Set<string>();
  readonly rejected = new Map<string, Rejection>();
  wildcard = false;
  /** How many responses were sent that left nothing out, and which of them was acknowledged last. */
  wholeSent = 0;
  wholeAcked = 0;
  /** When the proxy last answered, in ms of the process's clock; 0: never. */
  answeredAt = 0;
  inFlight: InFlight | undefined;
  /** Since when a name that the proxy asks for is not there yet, in ms of the process's clock; undefined: none is waited for. */
  waitingSince: number | undefined;
  /** The proxy waits for a first response, even an empty one. */
  owesResponse = false;
  /** Most resources in one response; lowered while the culprit of a rejection is looked for. */
  maxNames = Number.POSITIVE_INFINITY;
  private started = false;
  private readonly held: HeldVersions;

  /** @param ahead names that go on as if the proxy had asked for them */
  constructor(typeUrl: string, ahead: Iterable<string> = []) {
    this.typeUrl = typeUrl;
    this.ahead = new Set(ahead);
    this.names = new NameSet(numbersOf(typeUrl));
    this.held = new HeldVersions(typeUrl);
  }

  /**
   * Takes the subscription part of a request.
   * @param fresh names that must be sent whatever version the proxy says it holds
   * @param wildcardNames gives the names that a wildcard covers now
   */
  subscribe(request: KnownRequest, fresh: (name: string) => boolean, wildcardNames: () => Iterable<string>): void {
    const first = !this.started;
    const resumes = request.initialVersions.size > 0;
    this.started = true;
    // Of virtual hosts Envoy means those of its route configurations (see `collect`).
    let wildcard = first && request.subscribe.length === 0 && this.typeUrl !== VIRTUAL_HOST_TYPE;
    if (first) for (const name of this.ahead) if (!request.current.has(name)) this.dirty.add(name);
    for (const [name, version] of request.initialVersions) {
      this.held.claim(name, version);
      if (!request.current.has(name)) this.dirty.add(name);
    }
    for (const name of request.subscribe) {
      if (name === '*') {
        wildcard = true;
        continue;
      }
      this.names.add(name);
      if (this.ahead.size > 0) this.ahead.delete(name);
      // Asking again for a name means that the proxy forgot it, unless it just told the version it holds.
      const isHeld = resumes && request.initialVersions.has(name) && !fresh(name);
      if (!isHeld) this.held.forget(name);
      if (!isHeld || !request.current.has(name)) this.dirty.add(name);
    }
    if (wildcard && !this.wildcard) {
      this.wildcard = true;
      this.owesResponse = request.initialVersions.size === 0;
      for (const name of wildcardNames()) if (!request.current.has(name)) this.dirty.add(name);
    }
    this.unsubscribe(request.unsubscribe);
  }

  /**
   * Takes in which route configurations a proxy has, all of whose virtual hosts it is to have.
   * @param members gives the names that a route configuration's virtual hosts may have
   * @param current names whose newest version it has where it has them
   */
  collect(
    routes: RouteHolding,
    members: (collection: string) => Iterable<string>,
    current?: ReadonlySet<string>,
  ): void {
    const { added, doubtful, touched, abandoned } = this.collections.change(routes, this.held.names());
    const look = (name: string): void => {
      if (current?.has(name) !== true) this.dirty.add(name);
    };
    for (const name of touched) look(name);
    for (const collection of added) for (const name of members(collection)) look(name);
    for (const name of doubtful) this.held.doubt(name);
    for (const names of [doubtful, abandoned]) for (const name of names) this.dirty.add(name);
  }

  /** Something may be to be sent. */
  get isOwing(): boolean {
    return this.dirty.size > 0 || this.owesResponse;
  }

  /** The proxy has answered all that there was to send. */
  get isIdle(): boolean {
    return !this.isOwing && this.inFlight === undefined;
  }

  /** Resources that the proxy was sent, or says that it holds; of names it was told do not exist, one each. */
  get size(): number {
    return this.held.size;
  }

  /** True when the proxy wants to hear of the name. */
  covers(name: string): boolean {
    return this.wildcard || this.asksFor(name) || this.collections.covers(name);
  }

  /** True when the proxy asks for the name and not only for all, or is treated so. */
  asksFor(name: string): boolean {
    return this.names.has(name) || (this.ahead.size > 0 && this.ahead.has(name));
  }

  /** The proxy has been sent a version of the resource (or said itself that it holds one). */
  holds(name: string): boolean {
    return this.held.has(name);
  }

  /** The version of a resource that the proxy was sent, or says that it holds; undefined when none. */
  version(name: string): string | undefined {
    const version = this.held.get(name);
    return version === ABSENT ? undefined : version;
  }

  /** Sends the resource again though its version is unchanged. */
  force(name: string): void {
    this.held.forget(name);
    this.dirty.add(name);
  }

  /** Whether the newest state of a name is still to be sent. @param newest gives it; undefined when there is none */
  owes(name: string, newest: () => XdsResource | undefined): boolean {
    return this.dirty.size > 0 && this.dirty.has(name) && this.held.get(name) !== (newest()?.version ?? ABSENT);
  }

  /**
   * What differs between the dirty names' newest state and what the proxy holds. Names that do not differ stop being dirty.
   * @param lookup newest state of a name. `held`: version that the proxy has, `asked`: whether it asks for the name
   * @param isPending whether a name without a resource may have one in a moment; it stays dirty, unless what the proxy has is good until then
   * @param isHeldBack whether a state that differs has to wait; its name stays dirty
   * @param isFull whether so many resources of so many bytes fill a response, so that names may wait
   */
  pending(
    lookup: (name: string, held: string | undefined, asked: boolean) => XdsResource | undefined,
    isPending: (name: string) => boolean | 'held',
    isHeldBack: (resource: XdsResource) => boolean = () => false,
    isFull: (resources: number, bytes: number) => boolean = () => false,
  ): Pending {
    const upserts: XdsResource[] = [];
    const removed: string[] = [];
    let bytes = 0;
    let more = false;
    let isWaiting = false;
    for (const name of this.dirty) {
      if (isFull(upserts.length, bytes)) {
        more = true;
        break;
      }
      const sent = this.held.get(name);
      const asked = this.asksFor(name);
      const covered = asked || this.wildcard || this.collections.covers(name);
      const resource = covered ? lookup(name, sent === ABSENT ? undefined : sent, asked) : undefined;
      const wait = resource === undefined && this.names.has(name) && isPending(name);
      if (resource !== undefined && resource.version !== sent) {
        if (isHeldBack(resource)) continue;
        upserts.push(resource);
        bytes += resource.bytes.length;
      } else if (wait === true) {
        // The source says when it knows.
        isWaiting = true;
      } else if (wait === false && resource === undefined && this.isToGo(name)) {
        removed.push(name);
      } else {
        this.dirty.delete(name);
      }
    }
    this.waitingSince = isWaiting ? (this.waitingSince ?? performance.now()) : undefined;
    return { upserts, removed, more };
  }

  /** Whether the proxy is still to be told that a name without a resource does not exist. */
  private isToGo(name: string): boolean {
    if (this.names.has(name)) return this.held.get(name) !== ABSENT;
    return this.holds(name) && (this.covers(name) || this.collections.isAbandoned(name));
  }

  /**
   * Notes what a response that is being sent holds.
   * @param whole nothing that was to be sent is left out
   */
  markSent(nonce: string, { upserts, removed }: Pending, sentAt: number, whole: boolean): void {
    const names: string[] = [];
    for (const resource of upserts) {
      this.markName(resource.name, resource.version);
      names.push(resource.name);
    }
    for (const name of removed) {
      this.markName(name, this.names.has(name) ? ABSENT : undefined);
      names.push(name);
    }
    this.owesResponse = false;
    if (whole) this.wholeSent += 1;
    this.inFlight = { nonce, names, sentAt, whole };
  }

  /**
   * Takes the answer to the response in flight.
   * @returns the names it settled; undefined when the nonce is of no response in flight
   */
  settle(nonce: string, error: string | undefined): readonly string[] | undefined {
    if (this.inFlight?.nonce !== nonce) return undefined;
    const { names, whole } = this.inFlight;
    this.inFlight = undefined;
    if (whole && error === undefined) this.wholeAcked = this.wholeSent;
    if (error === undefined) {
      this.maxNames *= 2;
      this.held.acknowledgeAll(names);
      return names;
    }
    const blamed = blame(this.typeUrl, names, error);
    if (blamed.length === names.length && names.length > 1) {
      this.sendInHalves(names);
      return [];
    }
    for (const name of names) {
      if (blamed.includes(name) && !this.held.isAbsent(name)) {
        this.rejected.set(name, { version: this.held.get(name) ?? ABSENT, message: error });
        this.held.refuse(name);
      } else this.held.acknowledge(name);
    }
    return names;
  }

  /** The version of a resource that the proxy has put in force; undefined when none. */
  acknowledged(name: string): string | undefined {
    return this.held.acknowledged(name);
  }

  /** Every name the proxy was sent, with the version in force. */
  *versions(): Iterable<[string, string]> {
    for (const name of this.held.names()) {
      const version = this.acknowledged(name);
      if (version !== undefined) yield [name, version];
    }
  }

  /** One bad resource must not keep the others of its response from the proxy: they go again, in smaller responses. */
  private sendInHalves(names: readonly string[]): void {
    this.maxNames = Math.ceil(names.length / 2);
    for (const name of names) {
      this.held.retry(name);
      this.dirty.add(name);
    }
  }

  private unsubscribe(names: readonly string[]): void {
    for (const name of names) {
      if (name === '*') {
        this.wildcard = false;
        this.ahead.clear();
        for (const held of [...this.held.names()]) if (!this.names.has(held)) this.drop(held);
        continue;
      }
      this.names.delete(name);
      this.ahead.delete(name);
      if (!this.covers(name)) this.drop(name);
    }
  }

  private drop(name: string): void {
    this.held.drop(name);
    this.rejected.delete(name);
    this.dirty.delete(name);
  }

  private markName(name: string, version: string | undefined): void {
    this.held.send(name, version);
    this.dirty.delete(name);
    // Whatever becomes of this version, the one before is a matter of the past.
    if (this.rejected.size > 0) this.rejected.delete(name);
  }
}
