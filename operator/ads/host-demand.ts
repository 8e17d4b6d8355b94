import { randomUUID } from 'node:crypto';
import { type Answer, type ProxyIdentity, VIRTUAL_HOST_TYPE } from '../xds/resource.ts';
import { collectionOf } from './collections.ts';
import type { NameFilter } from './name-table.ts';
import type { NamesAhead } from './names-ahead.ts';
import type { DeltaRequest } from './request.ts';
import type { ResourceRegistry } from './resource-registry.ts';
import { encodeAnswers } from './response.ts';
import type { Subscription } from './subscription.ts';

/** So many hosts that nobody knows a proxy has at once. One that asks for more, for whatever reason, is sent all there are, and asks no more. */
const MAX_UNKNOWN = 200;

/** The same goes for who asks for so much: made-up ports and names under a wildcard, all at once. */
const MAX_ASKED = 5000;

/** Stands where the name of a host does in what answers. Envoy says that it holds it when it comes back. */
const ANSWERS = '|answers';

/**
 * The virtual hosts of a proxy that asks for them one by one, by the authorities of its requests. A request waits in Envoy until a response has what was
 * asked for as the name or an alias of a resource (`RdsRouteConfigProviderImpl::onConfigUpdate` in its source). So the hosts are those of all proxies, and
 * beside them goes a resource without a body, whose aliases are what was asked for. Envoy asks once: what it has asked for it is to have from then on.
 */
export class HostDemand {
  private readonly proxy: ProxyIdentity;
  private readonly registry: ResourceRegistry;
  private readonly subscription: Subscription;
  private readonly use: NamesAhead;
  /** Virtual hosts that it is sent though it did not ask, where there are any such. */
  private ahead: readonly string[] = [];
  /** Whether the proxy is sent all virtual hosts of its route configurations; undefined before its first request. */
  private all: boolean | undefined;
  /** What it has asked for, and what answers that now. */
  private readonly asked = new Map<string, Answer>();
  /** Those that it has of hosts that nobody knows. */
  private unknown = new Set<string>();
  /** What it asked for, or is to be told, and has not been answered. */
  private readonly waiting = new Set<string>();
  /** What the response in flight answers. */
  private told: readonly string[] = [];
  /** Begins the versions of its answers, which are on no other stream. */
  private readonly id = randomUUID();
  /** State of what answers, as of which all is answered that was asked for. */
  private reviewed = -1;

  constructor(proxy: ProxyIdentity, registry: ResourceRegistry, subscription: Subscription, use: NamesAhead) {
    this.proxy = proxy;
    this.registry = registry;
    this.subscription = subscription;
    this.use = use;
  }

  /** Whether the proxy is sent virtual hosts that it did not ask for. */
  get sendsUnasked(): boolean {
    return this.all !== false;
  }

  /** Whether a change of a virtual host may matter to the proxy. */
  concerns(name: string): boolean {
    return this.sendsUnasked || this.subscription.asksFor(name) || this.subscription.holds(name);
  }

  /** The same request with the names of virtual hosts in place of authorities. */
  translate(request: DeltaRequest): DeltaRequest {
    const held = new Map([...request.initialVersions].filter(([name]) => !name.endsWith(`/${ANSWERS}`)));
    // One that has the host of all unknown hosts asks for nothing: it is sent everything again, as on the stream before.
    const hasUnknown = [...held.keys()].some((name) => name === this.fallback(name));
    if (this.all === undefined) {
      this.all = hasUnknown || !this.registry.isOneByOne(this.proxy, VIRTUAL_HOST_TYPE);
      if (!this.all) this.ahead = this.use.begin({ ...request, initialVersions: held });
    }
    const plain: string[] = [];
    const wanted: string[] = [];
    for (const asked of request.subscribe) {
      // It means those of its route configurations.
      if (asked === '*') continue;
      const answer = this.registry.answer(this.proxy, VIRTUAL_HOST_TYPE, asked);
      if (answer === undefined) {
        plain.push(asked);
        continue;
      }
      this.wait(asked);
      if (this.sendsUnasked) continue;
      this.asked.set(asked, answer);
      // Without its route configuration it would throw them away, and say all the same that it has them.
      if (this.isCollected(asked)) wanted.push(...this.namesFor(answer));
    }
    if (this.isTooMuch) this.sendAll();
    const missing = this.sendsUnasked ? [] : this.take(new Set(wanted));
    return { ...request, subscribe: [...plain, ...missing], initialVersions: held };
  }

  /** Counts hosts as asked for. Gives those of them that the proxy was not sent. */
  private take(wanted: ReadonlySet<string>): string[] {
    const { names, ahead } = this.subscription;
    this.use.asked(VIRTUAL_HOST_TYPE, [...wanted]);
    return [...wanted].filter((name) => {
      if (!this.subscription.asksFor(name) || !this.subscription.holds(name)) return true;
      if (ahead.delete(name)) names.add(name);
      return false;
    });
  }

  /** Names of what a proxy is to be sent with a route configuration. Where that is nothing, it is told so, as its listener waits for a first answer. */
  *members(collection: string): Generator<string> {
    if (this.sendsUnasked) {
      yield* this.everything(collection);
      return;
    }
    this.wait(`${collection}/${ANSWERS}`);
    for (const [asked, answer] of this.asked) {
      if (collectionOf(asked) !== collection) continue;
      for (const name of this.namesFor(answer)) {
        this.subscription.names.add(name);
        yield name;
      }
    }
    for (const name of this.use.existing(VIRTUAL_HOST_TYPE, this.ahead)) {
      if (collectionOf(name) !== collection || this.subscription.names.has(name)) continue;
      this.subscription.ahead.add(name);
      yield name;
    }
  }

  /** Takes from the proxy what it has of route configurations that it has given up. */
  keepTo(collections: NameFilter): void {
    if (this.sendsUnasked) return;
    for (const name of this.own()) if (!collections.has(collectionOf(name))) this.drop(name);
  }

  /** Takes in that virtual hosts, and with them whose a domain is, may differ. */
  review(): void {
    const state = this.registry.answersState(VIRTUAL_HOST_TYPE);
    if (this.sendsUnasked || state === this.reviewed) return;
    this.reviewed = state;
    const { names, ahead, dirty } = this.subscription;
    const wanted = new Set<string>();
    this.unknown = new Set();
    for (const [asked, known] of this.asked) {
      const answer = this.registry.answer(this.proxy, VIRTUAL_HOST_TYPE, asked) ?? known;
      this.asked.set(asked, answer);
      if (this.isCollected(asked)) for (const name of this.namesFor(answer)) wanted.add(name);
    }
    for (const name of wanted) {
      // Of those of unknown hosts nobody else is told that they differ.
      if (!names.has(name) || this.unknown.has(name)) dirty.add(name);
      names.add(name);
    }
    const kept = new Set(this.use.existing(VIRTUAL_HOST_TYPE, this.ahead).filter((name) => this.isCollected(name)));
    for (const name of kept) {
      if (wanted.has(name) || ahead.has(name)) continue;
      ahead.add(name);
      dirty.add(name);
    }
    for (const name of this.own()) if (!wanted.has(name) && !kept.has(name)) this.drop(name);
    if (this.isTooMuch || !this.registry.isOneByOne(this.proxy, VIRTUAL_HOST_TYPE)) this.sendAll();
  }

  /** Resources that answer what can be answered, for a response that is being sent. */
  answers(nonce: string): Uint8Array[] {
    const { dirty } = this.subscription;
    const hasToCome = (asked: string): boolean => dirty.has(this.hostFor(asked) ?? '');
    this.told = [...this.waiting].filter((asked) => this.isCollected(asked) && !hasToCome(asked));
    const aliases = new Map<string, string[]>();
    for (const asked of this.told) {
      this.waiting.delete(asked);
      const collection = collectionOf(asked);
      const names = aliases.get(collection);
      if (names === undefined) aliases.set(collection, [asked]);
      else names.push(asked);
    }
    // Envoy takes answers of the version that it has, of this stream or one before, for a sign of life, and lets nothing go on.
    const version = `${this.id} ${nonce}`;
    return [...aliases].map(([collection, names]) => encodeAnswers(`${collection}/${ANSWERS}`, version, names));
  }

  /** The response in flight was taken, or refused, and then Envoy has let no request go on. */
  settled(isTaken: boolean): void {
    if (!isTaken) for (const asked of this.told) this.wait(asked);
    this.told = [];
  }

  /** Names of the virtual hosts without which something is not answered. */
  private *namesFor({ name, kind }: Answer): Generator<string> {
    if (kind === 'all') return;
    if (kind === 'unknown') this.unknown.add(name);
    yield name;
    if (kind === 'covered') yield* this.registry.companions(this.proxy, VIRTUAL_HOST_TYPE, name);
  }

  private get isTooMuch(): boolean {
    if (this.unknown.size > MAX_UNKNOWN || this.asked.size > MAX_ASKED) return true;
    for (const { kind } of this.asked.values()) if (kind === 'all') return true;
    return false;
  }

  private isCollected(asked: string): boolean {
    return this.subscription.collections.has(collectionOf(asked));
  }

  private wait(asked: string): void {
    this.waiting.add(asked);
    this.subscription.owesResponse = true;
  }

  /** Name of the virtual host that has to be there before something is answered. */
  private hostFor(asked: string): string | undefined {
    if (!this.sendsUnasked) return this.asked.get(asked)?.name;
    const answer = this.registry.answer(this.proxy, VIRTUAL_HOST_TYPE, asked);
    return answer?.kind === 'unknown' ? this.fallback(asked) : answer?.name;
  }

  private fallback(name: string): string | undefined {
    return this.registry.fallback(VIRTUAL_HOST_TYPE, collectionOf(name));
  }

  /** From now on the proxy is sent everything. */
  private sendAll(): void {
    this.all = true;
    for (const name of this.unknown) this.drop(name);
    this.unknown.clear();
    this.asked.clear();
    this.ahead = [];
    for (const collection of this.subscription.collections.all()) {
      for (const name of this.everything(collection)) this.subscription.dirty.add(name);
    }
  }

  /** Names of all virtual hosts of a route configuration. For who asks, that of all unknown hosts is the last: it would take known ones for unknown. */
  private *everything(collection: string): Generator<string> {
    const members = this.registry.members(VIRTUAL_HOST_TYPE, collection);
    if (!this.registry.isOneByOne(this.proxy, VIRTUAL_HOST_TYPE)) {
      yield* members;
      return;
    }
    const last = this.registry.fallback(VIRTUAL_HOST_TYPE, collection);
    for (const name of members) if (name !== last) yield name;
    if (last !== undefined) yield last;
  }

  /** Names of all that it has one by one. */
  private own(): Set<string> {
    return new Set([...this.subscription.names, ...this.subscription.ahead]);
  }

  private drop(name: string): void {
    this.subscription.names.delete(name);
    this.subscription.ahead.delete(name);
    this.subscription.dirty.add(name);
  }
}
