import { Map as PersistentMap } from 'immutable';
import { CANARY_KIND } from '../../api/canary.ts';
import { PEER_AUTHENTICATION_KIND } from '../../api/peer-authentication.ts';
import { DirtySet } from './dirty-set.ts';
import { buildCandidates } from './endpoint.ts';
import { sameValue } from './equality.ts';
import { ingest } from './ingestion.ts';
import { MapDraft } from './map-draft.ts';
import { keyOf, type MeshChange, type MeshKind, type MeshObject } from './mesh-object.ts';
import { type MtlsDecision, matchMtls } from './mtls.ts';
import { buildScope, type PolicyScope } from './peer-authentication.ts';
import type { PodFacts } from './pod.ts';
import { PolicyTally } from './policy-tally.ts';
import { buildCanaryView, buildPeerAuthenticationView } from './policy-view.ts';
import { hostnameOf, type ServiceFacts } from './service.ts';
import type {
  Endpoint,
  MeshDelta,
  MeshService,
  MeshSettings,
  MeshSnapshot,
  PolicyView,
  RevisionSplit,
  Workload,
} from './snapshot.ts';
import { buildSplit, matchServiceCanary } from './split.ts';
import { MeshTables } from './tables.ts';
import { buildWorkload } from './workload.ts';

/** A snapshot and how it differs from the one before. */
export interface MeshUpdate {
  readonly snapshot: MeshSnapshot;
  readonly delta: MeshDelta;
  /** Objects that could not be read; the mesh goes on with what it knew of them. */
  readonly unreadable: readonly UnreadableObject[];
}

/** An object whose shape is not what its schema says. */
export interface UnreadableObject {
  readonly kind: MeshKind;
  readonly key: string;
  readonly error: unknown;
}

interface Drafts {
  readonly services: MapDraft<MeshService>;
  readonly endpoints: MapDraft<readonly Endpoint[]>;
  readonly workloads: MapDraft<Workload>;
  readonly policies: MapDraft<PolicyView>;
}

/** The snapshot of a mesh with nothing in it. */
export function emptySnapshot(settings: MeshSettings): MeshSnapshot {
  return {
    settings,
    services: PersistentMap(),
    endpoints: PersistentMap(),
    workloads: PersistentMap(),
    policies: PersistentMap(),
  };
}

/** Builds a snapshot from all objects of a cluster, in any order. */
export function buildSnapshot(settings: MeshSettings, objects: Iterable<MeshObject>): MeshSnapshot {
  const changes: MeshChange[] = [];
  // Kind and object stay together, which a spread over a union of types does not show.
  for (const entry of objects) changes.push({ ...entry, key: keyOf(entry.object.metadata) } as MeshChange);
  return new MeshBuilder(settings).apply(changes).snapshot;
}

/** Keeps a snapshot up to date with the cluster. The cost of a change follows what it touches, not the size of the mesh. */
export class MeshBuilder {
  readonly #settings: MeshSettings;
  readonly #tables = new MeshTables();
  readonly #tally = new PolicyTally();
  readonly #mtls = new Map<string, MtlsDecision>();
  #snapshot: MeshSnapshot;

  constructor(settings: MeshSettings) {
    this.#settings = settings;
    this.#snapshot = emptySnapshot(settings);
  }

  /** The mesh after the last change. */
  get snapshot(): MeshSnapshot {
    return this.#snapshot;
  }

  /**
   * Takes changes in, in any order: a pod may come after its slice, a Service after its pods.
   * @returns the next snapshot and exactly what differs in it; where nothing does, the same snapshot again
   */
  apply(changes: Iterable<MeshChange>): MeshUpdate {
    const dirty = new DirtySet(this.#tables);
    const unreadable = this.#ingestAll(changes, dirty);
    const { services, endpoints, workloads, policies } = this.#snapshot;
    const drafts: Drafts = {
      services: new MapDraft(services),
      endpoints: new MapDraft(endpoints),
      workloads: new MapDraft(workloads),
      policies: new MapDraft(policies),
    };
    // In this order: mTLS decides over workloads and endpoints, and all of them over what a policy's view says.
    this.#decideMtls(dirty);
    this.#draftWorkloads(dirty, drafts);
    this.#draftServices(dirty, drafts);
    this.#draftPolicies(dirty, drafts);
    return { ...this.#finish(drafts), unreadable };
  }

  #ingestAll(changes: Iterable<MeshChange>, dirty: DirtySet): UnreadableObject[] {
    const unreadable: UnreadableObject[] = [];
    for (const change of changes) {
      try {
        ingest({ settings: this.#settings, tables: this.#tables, dirty }, change);
      } catch (error) {
        // Reading comes before anything is changed, so one bad object leaves the rest whole.
        unreadable.push({ kind: change.kind, key: change.key, error });
      }
    }
    return unreadable;
  }

  #decideMtls(dirty: DirtySet): void {
    const scopes = new Map<string, PolicyScope>();
    const scopeOf = (namespace: string): PolicyScope => {
      const known = scopes.get(namespace);
      if (known !== undefined) return known;
      const scope = buildScope(this.#tables.peerAuthentications.select('namespace', namespace));
      scopes.set(namespace, scope);
      return scope;
    };
    for (const uid of dirty.pods) {
      const pod = this.#tables.podOf(uid);
      const before = this.#mtls.get(uid);
      const after = pod && this.#matchMtls(pod, scopeOf);
      const tallied = pod?.injected === true ? after : undefined;
      for (const key of this.#tally.replace(uid, tallied)) {
        dirty.peerAuthentications.add(key.slice(PEER_AUTHENTICATION_KIND.length + 1));
      }
      if (sameValue(before, after)) continue;
      if (after === undefined) this.#mtls.delete(uid);
      else this.#mtls.set(uid, after);
      if (pod !== undefined) dirty.markHolders(pod);
    }
  }

  #matchMtls(pod: PodFacts, scopeOf: (namespace: string) => PolicyScope): MtlsDecision | undefined {
    if (!pod.injected && !pod.meshTls) return undefined;
    const { rootNamespace } = this.#settings;
    const own = pod.namespace === rootNamespace ? undefined : scopeOf(pod.namespace);
    return matchMtls(scopeOf(rootNamespace), own, pod.labels);
  }

  #draftWorkloads(dirty: DirtySet, { workloads }: Drafts): void {
    const context = { settings: this.#settings, tables: this.#tables, mtls: this.#mtls };
    for (const uid of dirty.pods) {
      const pod = this.#tables.podOf(uid);
      workloads.put(uid, pod && buildWorkload(context, pod));
    }
  }

  #draftServices(dirty: DirtySet, { services, endpoints }: Drafts): void {
    const context = { settings: this.#settings, tables: this.#tables, mtls: this.#mtls };
    for (const key of dirty.services) {
      const hostname = hostnameOf(this.#settings, key);
      const facts = this.#tables.services.get(key);
      if (facts === undefined) {
        services.put(hostname, undefined);
        endpoints.put(hostname, undefined);
        continue;
      }
      const external = facts.kind === 'ExternalName';
      const candidates = external ? [] : buildCandidates(context, facts);
      const canary = external ? undefined : matchServiceCanary(this.#tables, facts);
      const result = buildSplit(canary, candidates);
      services.put(hostname, buildService(hostname, facts, result.split));
      endpoints.put(hostname, result.endpoints);
    }
  }

  #draftPolicies(dirty: DirtySet, { policies }: Drafts): void {
    const context = { settings: this.#settings, tables: this.#tables, tally: this.#tally };
    for (const key of dirty.peerAuthentications) {
      const facts = this.#tables.peerAuthentications.get(key);
      policies.put(`${PEER_AUTHENTICATION_KIND}/${key}`, facts && buildPeerAuthenticationView(context, facts));
    }
    for (const key of dirty.canaries) {
      const facts = this.#tables.canaries.get(key);
      policies.put(`${CANARY_KIND}/${key}`, facts && buildCanaryView(context, facts));
    }
  }

  #finish({ services, endpoints, workloads, policies }: Drafts): Omit<MeshUpdate, 'unreadable'> {
    const delta: MeshDelta = {
      services: services.changed,
      endpoints: endpoints.changed,
      workloads: workloads.changed,
      policies: policies.changed,
      settings: false,
    };
    const drafts = [services, endpoints, workloads, policies];
    if (drafts.some(({ changed }) => changed.size > 0)) {
      this.#snapshot = {
        settings: this.#settings,
        services: services.finish(),
        endpoints: endpoints.finish(),
        workloads: workloads.finish(),
        policies: policies.finish(),
      };
    }
    return { snapshot: this.#snapshot, delta };
  }
}

function buildService(hostname: string, facts: ServiceFacts, split: RevisionSplit | undefined): MeshService {
  const { name, namespace, kind, addresses, externalName, ports, selector } = facts;
  return {
    hostname,
    name,
    namespace,
    kind,
    addresses,
    ports,
    selector,
    ...(externalName === undefined ? {} : { externalName }),
    ...(split === undefined ? {} : { split }),
  };
}
