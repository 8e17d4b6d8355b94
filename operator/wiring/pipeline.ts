import type { Logger } from '../../kube/logger.ts';
import type { ReadStore } from '../../kube/store.ts';
import { MeshBuilder } from '../mesh/mesh-builder.ts';
import type { MeshChange, MeshKinds } from '../mesh/mesh-object.ts';
import type { MeshDelta, MeshSettings, MeshSnapshot } from '../mesh/snapshot.ts';
import type { XdsCache } from '../xds/xds-cache.ts';
import { type DiscoveredNamespaces, namespaceOf } from './discovered-namespaces.ts';
import { HeldDelta } from './held-delta.ts';

/** What is needed of a store. */
type Feed<T> = Pick<ReadStore<T>, 'keys' | 'get' | 'onChange'>;

/** The stores that a mesh is made from. */
export interface MeshStores {
  /** Objects of all other namespaces are left out. */
  readonly discovery: Pick<DiscoveredNamespaces, 'has' | 'onSwitch'>;
  readonly namespaces: Feed<MeshKinds['Namespace']>;
  readonly nodes: Feed<MeshKinds['Node']>;
  readonly pods: Feed<MeshKinds['Pod']>;
  readonly services: Feed<MeshKinds['Service']>;
  readonly endpointSlices: Feed<MeshKinds['EndpointSlice']>;
  readonly canaries: Feed<MeshKinds['Canary']>;
  readonly authorizationPolicies: Feed<MeshKinds['AuthorizationPolicy']>;
  readonly requestAuthentications: Feed<MeshKinds['RequestAuthentication']>;
  readonly rateLimitPolicies: Feed<MeshKinds['RateLimitPolicy']>;
  readonly jwks: Feed<MeshKinds['Jwks']>;
  readonly peerAuthentications: Feed<MeshKinds['PeerAuthentication']>;
  readonly virtualServices: Feed<MeshKinds['VirtualService']>;
  readonly destinationRules: Feed<MeshKinds['DestinationRule']>;
  readonly serviceEntries: Feed<MeshKinds['ServiceEntry']>;
  readonly workloadEntries: Feed<MeshKinds['WorkloadEntry']>;
  readonly sidecars: Feed<MeshKinds['Sidecar']>;
  readonly telemetries: Feed<MeshKinds['Telemetry']>;
}

type Listener = (snapshot: MeshSnapshot, delta: MeshDelta) => void;

/** So many changes are taken in one turn of the event loop at least, and of those that came at once this share: tens of thousands must not stop it. */
const FEWEST_PER_TURN = 100;
/** Not fewer, or what all changes have to do with, such as one host that all routes are for, would be looked at too often. */
const SHARE_PER_TURN = 1 / 16;
/** Resources of changes that take many turns are given out no later, in ms, and else when all are taken: each time, every proxy is sent them. */
const LONGEST_HOLD_MS = 1000;

/** stores → snapshot → resources. Changes that arrive while the event loop is busy are taken together; nothing waits longer. */
export class Pipeline {
  readonly #builder: MeshBuilder;
  readonly #cache: XdsCache;
  readonly #logger: Logger;
  readonly #listeners = new Set<Listener>();
  readonly #onBroken: (error: unknown) => void;
  #pending: MeshChange[] = [];
  #scheduled = false;
  /** The snapshot that resources were last made of. */
  #published: MeshSnapshot;
  #held = new HeldDelta();
  /** Since when changes are held; undefined: there are none. */
  #heldSince: number | undefined;
  /** Changes taken since there were none. */
  #taken = 0;

  /** @param onBroken called when an update failed half-way and only a new process can be trusted */
  constructor(settings: MeshSettings, cache: XdsCache, logger: Logger, onBroken: (error: unknown) => void) {
    this.#onBroken = onBroken;
    this.#builder = new MeshBuilder(settings);
    this.#published = this.#builder.snapshot;
    this.#cache = cache;
    this.#logger = logger;
  }

  /** Changes that are still to be taken. */
  get waiting(): number {
    return this.#pending.length;
  }

  /** The mesh that resources are made of. */
  get snapshot(): MeshSnapshot {
    return this.#published;
  }

  /** Calls back after the resources of a snapshot are there; with exactly what differs. */
  onUpdate(listener: Listener): void {
    this.#listeners.add(listener);
  }

  /** Takes in all that the stores have, and from now on their changes. All stores must have synced before. */
  start(stores: MeshStores): void {
    const { discovery } = stores;
    const feed = <K extends keyof MeshKinds>(kind: K, store: Feed<MeshKinds[K]>): void => {
      const put = (key: string, object: MeshKinds[K] | undefined): void => {
        // Keys of tokens are of no namespace, though there are slashes in their URIs.
        const undiscovered = kind !== 'Jwks' && !discovery.has(namespaceOf(key));
        this.#pending.push({ kind, key, object, undiscovered } as MeshChange);
      };
      for (const key of store.keys()) put(key, store.get(key));
      discovery.onSwitch((namespace) => {
        for (const key of store.keys()) if (key.startsWith(`${namespace}/`)) put(key, store.get(key));
        this.#schedule();
      });
      store.onChange(({ key, object }) => {
        put(key, object);
        this.#schedule();
      });
    };
    feed('Namespace', stores.namespaces);
    feed('Node', stores.nodes);
    feed('Pod', stores.pods);
    feed('Service', stores.services);
    feed('EndpointSlice', stores.endpointSlices);
    feed('Canary', stores.canaries);
    feed('AuthorizationPolicy', stores.authorizationPolicies);
    feed('RequestAuthentication', stores.requestAuthentications);
    feed('RateLimitPolicy', stores.rateLimitPolicies);
    feed('Jwks', stores.jwks);
    feed('PeerAuthentication', stores.peerAuthentications);
    feed('VirtualService', stores.virtualServices);
    feed('DestinationRule', stores.destinationRules);
    feed('ServiceEntry', stores.serviceEntries);
    feed('WorkloadEntry', stores.workloadEntries);
    feed('Sidecar', stores.sidecars);
    feed('Telemetry', stores.telemetries);
    this.#take(this.#pending.length);
    this.#publish();
    this.#held = new HeldDelta();
    this.#taken = 0;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      try {
        this.#turn();
      } catch (error) {
        // Snapshot and resources may no longer agree; a new process builds both anew, and traffic does not notice.
        this.#onBroken(error);
      }
    });
  }

  #turn(): void {
    this.#take(Math.max(FEWEST_PER_TURN, Math.floor(this.#taken * SHARE_PER_TURN)));
    this.#heldSince ??= performance.now();
    if (this.#pending.length > 0) this.#schedule();
    else this.#taken = 0;
    if (this.#pending.length > 0 && performance.now() - this.#heldSince < LONGEST_HOLD_MS) return;
    if (this.#builder.snapshot !== this.#published) this.#publish();
    this.#held = new HeldDelta();
    this.#heldSince = undefined;
  }

  #take(count: number): void {
    const changes = this.#pending.splice(0, count);
    this.#taken += changes.length;
    const { delta, unreadable } = this.#builder.apply(changes);
    this.#held.add(delta);
    for (const object of unreadable) this.#logger.warn('object is not understood, left out', { ...object });
  }

  #publish(): void {
    const { snapshot } = this.#builder;
    const delta = this.#held.between(this.#published, snapshot);
    this.#published = snapshot;
    this.#cache.update(snapshot, delta);
    for (const listener of this.#listeners) {
      try {
        listener(snapshot, delta);
      } catch (error) {
        this.#logger.error('a listener of the mesh failed', { error });
      }
    }
  }
}
