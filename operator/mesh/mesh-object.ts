import type { V1EndpointSlice, V1Namespace, V1Node, V1Pod, V1Service } from '@kubernetes/client-node';
import type { AuthorizationPolicy } from '../../api/authorization-policy.ts';
import type { Canary } from '../../api/canary.ts';
import type { DestinationRule } from '../../api/destination-rule.ts';
import type { PeerAuthentication } from '../../api/peer-authentication.ts';
import type { RateLimitPolicy } from '../../api/rate-limit-policy.ts';
import type { RequestAuthentication } from '../../api/request-authentication.ts';
import type { ServiceEntry } from '../../api/service-entry.ts';
import type { Sidecar } from '../../api/sidecar.ts';
import type { Telemetry } from '../../api/telemetry.ts';
import type { VirtualService } from '../../api/virtual-service.ts';
import type { WorkloadEntry } from '../../api/workload-entry.ts';
import type { Jwks } from './jwks.ts';

/** The kinds of objects that a mesh is built from. */
export interface MeshKinds {
  Namespace: V1Namespace;
  Node: V1Node;
  Pod: V1Pod;
  Service: V1Service;
  EndpointSlice: V1EndpointSlice;
  Canary: Canary;
  AuthorizationPolicy: AuthorizationPolicy;
  PeerAuthentication: PeerAuthentication;
  RequestAuthentication: RequestAuthentication;
  RateLimitPolicy: RateLimitPolicy;
  /** Not of the cluster: keys that the operator fetched for RequestAuthentications. */
  Jwks: Jwks;
  VirtualService: VirtualService;
  DestinationRule: DestinationRule;
  ServiceEntry: ServiceEntry;
  WorkloadEntry: WorkloadEntry;
  Sidecar: Sidecar;
  Telemetry: Telemetry;
}

export type MeshKind = keyof MeshKinds;

export const MESH_KINDS: readonly MeshKind[] = [
  'Namespace',
  'Node',
  'Pod',
  'Service',
  'EndpointSlice',
  'Canary',
  'AuthorizationPolicy',
  'PeerAuthentication',
  'RequestAuthentication',
  'RateLimitPolicy',
  'Jwks',
  'VirtualService',
  'DestinationRule',
  'ServiceEntry',
  'WorkloadEntry',
  'Sidecar',
  'Telemetry',
];

/** One object of the cluster. */
export type MeshObject = { [K in MeshKind]: { readonly kind: K; readonly object: MeshKinds[K] } }[MeshKind];

/**
 * An object that came, changed, or (`undefined`) went. `key` is `namespace/name`, or `name` of a cluster-scoped one. Of one whose namespace is not
 * (or not any more) discovered the mesh takes nothing in; its user is told. When that changes, all changes of the namespace's objects are to come again.
 */
export type MeshChange = {
  [K in MeshKind]: {
    readonly kind: K;
    readonly key: string;
    readonly object: MeshKinds[K] | undefined;
    readonly undiscovered?: boolean;
  };
}[MeshKind];

/**
 * Takes an object as YAML or the API gives it, with its `kind`.
 * @returns undefined when the mesh is not built from this kind
 */
export function meshObject(value: { readonly kind?: string }): MeshObject | undefined {
  if (!MESH_KINDS.some((kind) => kind === value.kind)) return undefined;
  return { kind: value.kind, object: value } as MeshObject;
}

/** `namespace/name`, or `name` of a cluster-scoped object. */
export function keyOf(metadata: { readonly name?: string; readonly namespace?: string } | undefined): string {
  const name = metadata?.name ?? '';
  return metadata?.namespace ? `${metadata.namespace}/${name}` : name;
}

/** Time of creation in ms since the epoch; objects without one (from YAML) count as the oldest. */
export function creationTime(metadata: { readonly creationTimestamp?: Date | string | undefined } | undefined): number {
  const value = metadata?.creationTimestamp;
  if (value === undefined) return 0;
  const time = new Date(value).getTime();
  return Number.isNaN(time) ? 0 : time;
}

/** Orders by age, the oldest first; a tie goes by name. Whoever is first wins a conflict, as in Istio. */
export function byAge(
  a: { readonly createdAt: number; readonly key: string },
  b: { readonly createdAt: number; readonly key: string },
): number {
  return a.createdAt - b.createdAt || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}
