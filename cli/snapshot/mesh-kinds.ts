import {
  AUTHORIZATION_POLICY,
  CANARY,
  DESTINATION_RULE,
  ENDPOINT_SLICE,
  NAMESPACE,
  NODE,
  PEER_AUTHENTICATION,
  POD,
  RATE_LIMIT_POLICY,
  REQUEST_AUTHENTICATION,
  SERVICE,
  SERVICE_ENTRY,
  SIDECAR,
  TELEMETRY,
  VIRTUAL_SERVICE,
  WORKLOAD_ENTRY,
} from '../../kube/kinds.ts';
import type { ResourceKind } from '../../kube/resource-kind.ts';
import type { MeshKind } from '../../operator/mesh/mesh-object.ts';

/** Where the API server has the objects that a mesh is built from. Keys that the operator fetches (`Jwks`) it has not. */
export const KINDS: Readonly<Record<Exclude<MeshKind, 'Jwks'>, ResourceKind>> = {
  Namespace: NAMESPACE,
  Node: NODE,
  Pod: POD,
  Service: SERVICE,
  EndpointSlice: ENDPOINT_SLICE,
  Canary: CANARY,
  AuthorizationPolicy: AUTHORIZATION_POLICY,
  PeerAuthentication: PEER_AUTHENTICATION,
  RequestAuthentication: REQUEST_AUTHENTICATION,
  RateLimitPolicy: RATE_LIMIT_POLICY,
  VirtualService: VIRTUAL_SERVICE,
  DestinationRule: DESTINATION_RULE,
  ServiceEntry: SERVICE_ENTRY,
  WorkloadEntry: WORKLOAD_ENTRY,
  Sidecar: SIDECAR,
  Telemetry: TELEMETRY,
};
