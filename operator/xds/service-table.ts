import type { TlsVersion } from '../../api/mesh-config.ts';
import type { SelectedPolicy } from '../mesh/destination-selection.ts';
import { KeySets } from '../mesh/key-sets.ts';
import type { ObjectKey } from '../mesh/object-ref.ts';
import type { Endpoint, MeshService, ServiceKey } from '../mesh/snapshot.ts';
import type { AssignmentClient } from './assignment.ts';
import type { Lazy } from './lazy.ts';
import { CLUSTER_TYPE, ENDPOINT_TYPE, type XdsResource } from './resource.ts';
import type { Scope } from './scope.ts';
import { buildServiceVariant, type ServiceVariant } from './service-variant.ts';

interface Row {
  readonly service: MeshService;
  readonly endpoints: readonly Endpoint[];
  /** By the destination policies that were selected. */
  readonly variants: Map<string, ServiceVariant>;
}

/** What a change of one service comes to. */
export interface ServiceChange {
  /** Whether routes to it may differ now. */
  readonly routing: boolean;
}

/** Told of every resource that may differ. */
type Tell = (typeUrl: string, name: string) => void;

const ANYWHERE: AssignmentClient = { locality: { region: '', zone: '', subzone: '' }, labels: {} };

/** Clusters and load assignments of all services, in as many variants as their clients' policies make. */
export class ServiceTable {
  readonly #minTls: TlsVersion | undefined;
  private readonly rows = new Map<ServiceKey, Row>();
  /** Services by the WorkloadEntries among their endpoints. */
  private readonly members = new KeySets<ObjectKey, ServiceKey>();

  /** @param minTls the oldest that is spoken with other proxies; undefined: 1.3 */
  constructor(minTls?: TlsVersion) {
    this.#minTls = minTls;
  }

  /** Names of the clusters of a service that some scope has. */
  *clusterNames(key: ServiceKey): Generator<string> {
    for (const { clusters } of this.rows.get(key)?.variants.values() ?? []) yield* clusters.keys();
  }

  /** The service's resources for the clients of a scope; encoded when first asked for. */
  variant(scope: Scope, service: MeshService): ServiceVariant {
    const row = this.rows.get(service.key);
    const selected = scope.policy(service);
    if (row === undefined) return buildServiceVariant(service, [], selected, undefined, this.#minTls);
    const key = keyOf(selected);
    const known = row.variants.get(key);
    if (known !== undefined) return known;
    const built = buildServiceVariant(row.service, row.endpoints, selected, undefined, this.#minTls);
    row.variants.set(key, built);
    return built;
  }

  /** Services that have a WorkloadEntry among their endpoints. */
  withMember(key: ObjectKey): Iterable<ServiceKey> {
    return this.members.get(key);
  }

  /** Names of all clusters, and of those of them whose endpoints come from the mesh. */
  names(): { readonly clusters: Set<string>; readonly assignments: Set<string> } {
    const clusters = new Set<string>();
    const assignments = new Set<string>();
    for (const { variants } of this.rows.values()) {
      for (const variant of variants.values()) {
        for (const name of variant.clusters.keys()) clusters.add(name);
        for (const name of variant.assignments.keys()) assignments.add(name);
      }
    }
    return { clusters, assignments };
  }

  /** Endpoints that the mesh knows of a service. */
  endpoints(key: ServiceKey): readonly Endpoint[] {
    return this.rows.get(key)?.endpoints ?? [];
  }

  /**
   * Takes the newest state of a service; undefined when it is gone.
   * @param scopes all that are in use; for each a variant is there afterwards
   * @param anew true when clients may see it by other policies than before, or in place of another service
   */
  set(
    key: ServiceKey,
    service: MeshService | undefined,
    endpoints: readonly Endpoint[],
    scopes: Iterable<Scope>,
    anew: boolean,
    tell: Tell,
  ): ServiceChange {
    const row = this.rows.get(key);
    const before = row?.variants ?? new Map<string, ServiceVariant>();
    const after = new Map<string, ServiceVariant>();
    this.setMembers(key, row?.endpoints ?? [], service === undefined ? [] : endpoints);
    if (service === undefined) this.rows.delete(key);
    else {
      this.rows.set(key, { service, endpoints, variants: after });
      for (const scope of scopes) {
        if (scope.service(service.hostname)?.key !== key) continue;
        const selected = scope.policy(service);
        const name = keyOf(selected);
        if (after.has(name)) continue;
        const previous = anew ? undefined : before.get(name);
        after.set(name, buildServiceVariant(service, endpoints, selected, previous, this.#minTls));
      }
    }
    // Where clients may have gone from one variant to another that was there before, no variant differs, and yet all of them may for somebody.
    if (anew) tellAll([...before.values(), ...after.values()], tell);
    else tellDifferences(before, after, tell);
    // Where nobody sees it, nothing is known to have stayed.
    const known = before.size > 0 && after.size > 0;
    return { routing: anew || !known || routingOf(before) !== routingOf(after) };
  }

  private setMembers(key: ServiceKey, before: readonly Endpoint[], after: readonly Endpoint[]): void {
    for (const { entry } of before) if (entry !== undefined) this.members.delete(entry, key);
    for (const { entry } of after) if (entry !== undefined) this.members.add(entry, key);
  }
}

function keyOf(selected: SelectedPolicy | undefined): string {
  return selected === undefined ? '' : selected.keys.join(' ');
}

function routingOf(variants: ReadonlyMap<string, ServiceVariant>): string {
  return [...variants]
    .map(([name, { routingKey }]) => `${name} ${routingKey}`)
    .sort()
    .join('\n');
}

function tellAll(variants: readonly ServiceVariant[], tell: Tell): void {
  for (const { clusters, assignments } of variants) {
    for (const name of clusters.keys()) tell(CLUSTER_TYPE, name);
    for (const name of assignments.keys()) tell(ENDPOINT_TYPE, name);
  }
}

function tellDifferences(
  before: ReadonlyMap<string, ServiceVariant>,
  after: ReadonlyMap<string, ServiceVariant>,
  tell: Tell,
): void {
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const [old, now] = [before.get(key), after.get(key)];
    for (const name of namesOf(old?.clusters, now?.clusters)) {
      if (differ(old?.clusters.get(name), now?.clusters.get(name))) tell(CLUSTER_TYPE, name);
    }
    for (const name of namesOf(old?.assignments, now?.assignments)) {
      const [was, is] = [old?.assignments.get(name), now?.assignments.get(name)];
      // What nobody has asked for nobody holds: it is not encoded to compare it.
      const comparable = was?.isMade === true && is !== undefined && !was.varies && !is.varies;
      if (!comparable || was.for(ANYWHERE).version !== is.for(ANYWHERE).version) tell(ENDPOINT_TYPE, name);
    }
  }
}

function differ(before: Lazy<XdsResource> | undefined, now: Lazy<XdsResource> | undefined): boolean {
  if (before === now) return false;
  if (before?.isMade !== true || now === undefined) return true;
  return before.value.version !== now.value.version;
}

function namesOf<Value>(
  before: ReadonlyMap<string, Value> | undefined,
  after: ReadonlyMap<string, Value> | undefined,
): Set<string> {
  return new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])]);
}
