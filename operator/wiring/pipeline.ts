import type { Logger } from '../../kube/logger.ts';
import { MeshBuilder } from '../mesh/mesh-builder.ts';
import type { MeshChange, MeshKinds } from '../mesh/mesh-object.ts';
import type { MeshDelta, MeshSettings, MeshSnapshot } from '../mesh/snapshot.ts';
import type { XdsCache } from '../xds/xds-cache.ts';
import type { ClusterStores } from './cluster-stores.ts';

type Listener = (snapshot: MeshSnapshot, delta: MeshDelta) => void;

/** stores → snapshot → resources. Changes that arrive while the event loop is busy are taken together; nothing waits longer. */
export class Pipeline {
  readonly #builder: MeshBuilder;
  readonly #cache: XdsCache;
  readonly #logger: Logger;
  readonly #listeners = new Set<Listener>();
  readonly #onBroken: (error: unknown) => void;
  #pending: MeshChange[] = [];
  #scheduled = false;

  /** @param onBroken called when an update failed half-way and only a new process can be trusted */
  constructor(settings: MeshSettings, cache: XdsCache, logger: Logger, onBroken: (error: unknown) => void) {
    this.#onBroken = onBroken;
    this.#builder = new MeshBuilder(settings);
    this.#cache = cache;
    this.#logger = logger;
  }

  get snapshot(): MeshSnapshot {
    return this.#builder.snapshot;
  }

  /** Calls back after the resources of a snapshot are there; with exactly what differs. */
  onUpdate(listener: Listener): void {
    this.#listeners.add(listener);
  }

  /** Takes in all that the stores have, and from now on their changes. All stores must have synced before. */
  start(stores: ClusterStores): void {
    const feed = <K extends keyof MeshKinds>(
      kind: K,
      store: {
        list(): Iterable<MeshKinds[K]>;
        keys(): Iterable<string>;
        get(key: string): MeshKinds[K] | undefined;
        onChange(listener: (change: { key: string; object: MeshKinds[K] | undefined }) => void): unknown;
      },
    ): void => {
      const put = (key: string, object: MeshKinds[K] | undefined): void => {
        this.#pending.push({ kind, key, object } as MeshChange);
      };
      for (const key of store.keys()) put(key, store.get(key));
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
    feed('PeerAuthentication', stores.peerAuthentications);
    feed('VirtualService', stores.virtualServices);
    feed('DestinationRule', stores.destinationRules);
    feed('ServiceEntry', stores.serviceEntries);
    feed('WorkloadEntry', stores.workloadEntries);
    feed('Sidecar', stores.sidecars);
    this.#flush();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      try {
        this.#flush();
      } catch (error) {
        // Snapshot and resources may no longer agree; a new process builds both anew, and traffic does not notice.
        this.#onBroken(error);
      }
    });
  }

  #flush(): void {
    const changes = this.#pending;
    this.#pending = [];
    const before = this.#builder.snapshot;
    const { snapshot, delta, unreadable } = this.#builder.apply(changes);
    for (const object of unreadable) this.#logger.warn('object is not understood, left out', { ...object });
    if (snapshot === before && changes.length > 0) return;
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
