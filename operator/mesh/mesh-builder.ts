import { draftAuthorization, markAskers } from './authorization-drafts.ts';
import { draftDestinationRules } from './destination-rule-drafts.ts';
import { DirtySet } from './dirty-set.ts';
import { type DraftContext, type Drafter, Drafts, emptySnapshot } from './drafts.ts';
import { sameValue } from './equality.ts';
import { ingest } from './ingestion.ts';
import { keyOf, type MeshChange, type MeshKind, type MeshObject } from './mesh-object.ts';
import type { MtlsDecision } from './mtls.ts';
import { MtlsScopes } from './mtls-scopes.ts';
import { namespacedName } from './object-ref.ts';
import { OverlapTally } from './overlap-tally.ts';
import type { PodFacts } from './pod.ts';
import { draftPolicies } from './policy-drafts.ts';
import { PolicyTally } from './policy-tally.ts';
import { draftRateLimits } from './rate-limit-drafts.ts';
import { draftRequestAuthentications } from './request-authentication-drafts.ts';
import { draftServices, draftWorkloads } from './service-drafts.ts';
import { draftServiceEntries } from './service-entry-drafts.ts';
import { draftSidecars } from './sidecar-drafts.ts';
import type { MeshDelta, MeshSettings, MeshSnapshot } from './snapshot.ts';
import { MeshTables } from './tables.ts';
import { draftTelemetries, markTold } from './telemetry-drafts.ts';
import { draftUndiscovered, forgetUndiscovered } from './undiscovered.ts';
import { draftVirtualServices } from './virtual-service.ts';
import { draftWorkloadEntries } from './workload-entry-drafts.ts';

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

/** What is drafted, in this order: each may mark as dirty, and read in the drafts, what comes after it. */
const DRAFTERS: readonly Drafter[] = [
  forgetUndiscovered,
  markAskers,
  markTold,
  draftWorkloads,
  draftServices,
  draftServiceEntries,
  draftWorkloadEntries,
  draftSidecars,
  draftAuthorization,
  draftRequestAuthentications,
  draftRateLimits,
  draftTelemetries,
  draftDestinationRules,
  draftVirtualServices,
  draftPolicies,
  draftUndiscovered,
];

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
  readonly #authorizationTally = new PolicyTally();
  readonly #authorizationOverlap = new OverlapTally();
  readonly #requestAuthenticationTally = new PolicyTally();
  readonly #rateLimitTally = new PolicyTally();
  readonly #rateLimitHttpTally = new PolicyTally();
  readonly #rateLimitGuessedTally = new PolicyTally();
  readonly #requestAuthenticationGuessedTally = new PolicyTally();
  readonly #requestAuthenticationOverlap = new OverlapTally();
  readonly #rateLimitOverlap = new OverlapTally();
  readonly #sidecarTally = new PolicyTally();
  readonly #telemetryTally = new PolicyTally();
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
    // First of all, for it decides over workloads and endpoints.
    const scopes = new MtlsScopes(this.#settings, this.#tables);
    this.#decideMtls(dirty, scopes);
    const context: DraftContext = {
      settings: this.#settings,
      tables: this.#tables,
      mtls: this.#mtls,
      mtlsScopes: scopes,
      tally: this.#tally,
      authorizationTally: this.#authorizationTally,
      authorizationOverlap: this.#authorizationOverlap,
      requestAuthenticationTally: this.#requestAuthenticationTally,
      rateLimitTally: this.#rateLimitTally,
      rateLimitHttpTally: this.#rateLimitHttpTally,
      rateLimitGuessedTally: this.#rateLimitGuessedTally,
      requestAuthenticationGuessedTally: this.#requestAuthenticationGuessedTally,
      requestAuthenticationOverlap: this.#requestAuthenticationOverlap,
      rateLimitOverlap: this.#rateLimitOverlap,
      sidecarTally: this.#sidecarTally,
      telemetryTally: this.#telemetryTally,
    };
    const drafts = new Drafts(this.#snapshot);
    for (const draft of DRAFTERS) draft(context, dirty, drafts);
    const { snapshot, delta } = drafts.finish();
    this.#snapshot = snapshot;
    return { snapshot, delta, unreadable };
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

  #decideMtls(dirty: DirtySet, scopes: MtlsScopes): void {
    for (const uid of dirty.pods) {
      const pod = this.#tables.podOf(uid);
      const before = this.#mtls.get(uid);
      const after = pod && speaksMeshTls(pod) ? scopes.match(pod.namespace, pod.labels) : undefined;
      const tallied = pod?.injected === true ? after : undefined;
      for (const key of this.#tally.replace(uid, tallied)) {
        dirty.peerAuthentications.add(namespacedName(key));
      }
      if (sameValue(before, after)) continue;
      if (after === undefined) this.#mtls.delete(uid);
      else this.#mtls.set(uid, after);
      if (pod !== undefined) dirty.markHolders(pod);
    }
  }
}

function speaksMeshTls({ injected, meshTls }: PodFacts): boolean {
  return injected || meshTls;
}
