import { Map as PersistentMap } from 'immutable';
import type { DestinationPolicy } from './destination-policy.ts';
import type { DirtySet } from './dirty-set.ts';
import { MapDraft } from './map-draft.ts';
import type { MtlsDecision } from './mtls.ts';
import type { MtlsScopes } from './mtls-scopes.ts';
import type { OverlapTally } from './overlap-tally.ts';
import type { PolicyTally } from './policy-tally.ts';
import type { RouteRule } from './route-rule.ts';
import type { SidecarScope } from './sidecar-scope.ts';
import type { Endpoint, MeshDelta, MeshService, MeshSettings, MeshSnapshot, PolicyView, Workload } from './snapshot.ts';
import type { MeshTables } from './tables.ts';

/** What the next snapshot is drafted from. */
export interface DraftContext {
  readonly settings: MeshSettings;
  readonly tables: MeshTables;
  /** How PeerAuthentication comes out for a pod, by UID; only for pods that understand mesh mTLS. */
  readonly mtls: ReadonlyMap<string, MtlsDecision>;
  /** The same for workloads that are no pods. */
  readonly mtlsScopes: MtlsScopes;
  readonly tally: PolicyTally;
  readonly authorizationTally: PolicyTally;
  readonly authorizationOverlap: OverlapTally;
  readonly requestAuthenticationTally: PolicyTally;
  /** Of those about a port whose protocol is guessed. */
  readonly requestAuthenticationGuessedTally: PolicyTally;
  readonly requestAuthenticationOverlap: OverlapTally;
  readonly rateLimitTally: PolicyTally;
  /** Of those about a port that takes HTTP. */
  readonly rateLimitHttpTally: PolicyTally;
  /** Of those about a port whose protocol is guessed. */
  readonly rateLimitGuessedTally: PolicyTally;
  readonly rateLimitOverlap: OverlapTally;
  /** Of Sidecars, where they select pods. */
  readonly sidecarTally: PolicyTally;
  readonly telemetryTally: PolicyTally;
}

/** Drafts one kind of entries of the next snapshot, from what is dirty. */
export type Drafter = (context: DraftContext, dirty: DirtySet, drafts: Drafts) => void;

/** The snapshot of a mesh with nothing in it. */
export function emptySnapshot(settings: MeshSettings): MeshSnapshot {
  return {
    settings,
    services: PersistentMap(),
    endpoints: PersistentMap(),
    workloads: PersistentMap(),
    routeRules: PersistentMap(),
    destinationPolicies: PersistentMap(),
    sidecars: PersistentMap(),
    policies: PersistentMap(),
  };
}

/** The maps of the next snapshot while they are made. */
export class Drafts {
  readonly services: MapDraft<MeshService>;
  readonly endpoints: MapDraft<readonly Endpoint[]>;
  readonly workloads: MapDraft<Workload>;
  readonly routeRules: MapDraft<RouteRule>;
  readonly destinationPolicies: MapDraft<DestinationPolicy>;
  readonly sidecars: MapDraft<SidecarScope>;
  readonly policies: MapDraft<PolicyView>;
  readonly #before: MeshSnapshot;

  constructor(before: MeshSnapshot) {
    this.#before = before;
    this.services = new MapDraft(before.services);
    this.endpoints = new MapDraft(before.endpoints);
    this.workloads = new MapDraft(before.workloads);
    this.routeRules = new MapDraft(before.routeRules);
    this.destinationPolicies = new MapDraft(before.destinationPolicies);
    this.sidecars = new MapDraft(before.sidecars);
    this.policies = new MapDraft(before.policies);
  }

  /** The next snapshot, or the very same one when nothing differs; and what differs. */
  finish(): { readonly snapshot: MeshSnapshot; readonly delta: MeshDelta } {
    const { services, endpoints, workloads, routeRules, destinationPolicies, sidecars, policies } = this;
    const delta: MeshDelta = {
      services: services.changed,
      endpoints: endpoints.changed,
      workloads: workloads.changed,
      routeRules: routeRules.changed,
      destinationPolicies: destinationPolicies.changed,
      sidecars: sidecars.changed,
      policies: policies.changed,
      settings: false,
    };
    const drafts = [services, endpoints, workloads, routeRules, destinationPolicies, sidecars, policies];
    if (drafts.every(({ changed }) => changed.size === 0)) return { snapshot: this.#before, delta };
    const snapshot: MeshSnapshot = {
      settings: this.#before.settings,
      services: services.finish(),
      endpoints: endpoints.finish(),
      workloads: workloads.finish(),
      routeRules: routeRules.finish(),
      destinationPolicies: destinationPolicies.finish(),
      sidecars: sidecars.finish(),
      policies: policies.finish(),
    };
    return { snapshot, delta };
  }
}
