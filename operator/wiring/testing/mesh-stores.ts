import { readMeshConfig } from '../../../api/mesh-config.ts';
import type { KubeObject } from '../../../kube/object.ts';
import { Store } from '../../../kube/store.ts';
import type { MeshChange, MeshKind, MeshKinds } from '../../mesh/mesh-object.ts';
import { DiscoveredNamespaces } from '../discovered-namespaces.ts';

/** The stores of a cluster of which nothing is there yet. @param config YAML, as in mesh.yaml */
export function newMeshStores(config = '') {
  const namespaces = new Store<MeshKinds['Namespace'] & KubeObject>();
  return {
    discovery: new DiscoveredNamespaces(readMeshConfig(config), 'heddle-system', namespaces),
    namespaces,
    nodes: new Store<MeshKinds['Node'] & KubeObject>(),
    pods: new Store<MeshKinds['Pod'] & KubeObject>(),
    services: new Store<MeshKinds['Service'] & KubeObject>(),
    endpointSlices: new Store<MeshKinds['EndpointSlice'] & KubeObject>(),
    canaries: new Store<MeshKinds['Canary']>(),
    authorizationPolicies: new Store<MeshKinds['AuthorizationPolicy']>(),
    requestAuthentications: new Store<MeshKinds['RequestAuthentication']>(),
    rateLimitPolicies: new Store<MeshKinds['RateLimitPolicy']>(),
    jwks: new Store<MeshKinds['Jwks'] & KubeObject>(),
    peerAuthentications: new Store<MeshKinds['PeerAuthentication']>(),
    virtualServices: new Store<MeshKinds['VirtualService']>(),
    destinationRules: new Store<MeshKinds['DestinationRule']>(),
    serviceEntries: new Store<MeshKinds['ServiceEntry']>(),
    workloadEntries: new Store<MeshKinds['WorkloadEntry']>(),
    sidecars: new Store<MeshKinds['Sidecar']>(),
    telemetries: new Store<MeshKinds['Telemetry']>(),
  };
}

export type TestStores = ReturnType<typeof newMeshStores>;

const STORE_OF: { readonly [K in MeshKind]: keyof Omit<TestStores, 'discovery'> } = {
  Namespace: 'namespaces',
  Node: 'nodes',
  Pod: 'pods',
  Service: 'services',
  EndpointSlice: 'endpointSlices',
  Canary: 'canaries',
  AuthorizationPolicy: 'authorizationPolicies',
  RequestAuthentication: 'requestAuthentications',
  RateLimitPolicy: 'rateLimitPolicies',
  Jwks: 'jwks',
  PeerAuthentication: 'peerAuthentications',
  VirtualService: 'virtualServices',
  DestinationRule: 'destinationRules',
  ServiceEntry: 'serviceEntries',
  WorkloadEntry: 'workloadEntries',
  Sidecar: 'sidecars',
  Telemetry: 'telemetries',
};

/** Does to the stores what a watch would. */
export function putInto(stores: TestStores, { kind, key, object }: MeshChange): void {
  // The store and the object are both chosen by kind, which TypeScript does not relate across a lookup.
  const store = stores[STORE_OF[kind]] as Store<KubeObject>;
  if (object === undefined) store.delete(key);
  else store.set(object as KubeObject);
}
