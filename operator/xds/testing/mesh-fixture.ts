import { Map as PersistentMap } from 'immutable';
import type { DestinationPolicy } from '../../mesh/destination-policy.ts';
import type { RouteRule } from '../../mesh/route-rule.ts';
import type { SidecarScope } from '../../mesh/sidecar-scope.ts';
import type {
  AppProtocol,
  Endpoint,
  MeshDelta,
  MeshService,
  MeshSettings,
  MeshSnapshot,
  ServicePort,
  Workload,
} from '../../mesh/snapshot.ts';
import type { ProxyIdentity } from '../resource.ts';

/** Pieces of snapshots for the tests of this room. */

export const SETTINGS: MeshSettings = {
  trustDomain: 'cluster.local',
  clusterDomain: 'cluster.local',
  rootNamespace: 'heddle-system',
  outboundTrafficPolicy: { mode: 'ALLOW_ANY' },
  proxy: { configurationLoading: 'eager' },
};

const LOCALITY = { region: '', zone: '', subzone: '' };

/** `name.namespace`, both kinds of names at once. */
export function service(name: string, ports: readonly ServicePort[], more: Partial<MeshService> = {}): MeshService {
  const [short = '', namespace = ''] = name.split('.');
  const hostname = `${short}.${namespace}.svc.cluster.local`;
  return {
    key: hostname,
    hostname,
    name: short,
    namespace,
    kind: 'ClusterIP',
    object: { kind: 'Service', namespace, name: short },
    createdAt: 0,
    visibility: '*',
    resolution: 'endpoints',
    external: false,
    addresses: ['10.96.0.1'],
    subjectAltNames: [],
    ports,
    selector: {},
    ...more,
  };
}

/** A port named after its protocol whose target has the same number. */
export function port(number: number, protocol: AppProtocol, name = `${protocol}-${number}`): ServicePort {
  return { name, port: number, targetPort: number, protocol };
}

/** An endpoint that takes mTLS as the service account `app` of the namespace `shop`. */
export function endpoint(address: string, ports: Record<string, number>, more: Partial<Endpoint> = {}): Endpoint {
  return {
    address,
    labels: {},
    weight: 1,
    ports,
    namespace: 'shop',
    spiffeId: 'spiffe://cluster.local/ns/shop/sa/app',
    mtls: true,
    plaintextPorts: [],
    revision: 'r1',
    gated: false,
    locality: LOCALITY,
    ...more,
  };
}

/** An injected pod of the namespace `shop`. */
export function workload(uid: string, more: Partial<Workload> = {}): Workload {
  return {
    uid,
    name: uid,
    namespace: 'shop',
    serviceAccount: 'app',
    addresses: ['10.0.0.1'],
    spiffeId: 'spiffe://cluster.local/ns/shop/sa/app',
    labels: {},
    revision: 'r1',
    owner: 'app',
    node: 'node-1',
    locality: LOCALITY,
    inbound: [{ port: 8080, protocol: 'http' }],
    mtls: { mode: 'PERMISSIVE', ports: {}, policies: [] },
    authorization: [],
    tokens: [],
    rateLimits: [],
    dnsCapture: false,
    onDemand: false,
    terminating: false,
    ...more,
  };
}

/** Who asks, from a namespace. */
export function proxyOf(uid: string, namespace = 'shop'): ProxyIdentity {
  return { uid, podName: uid, namespace, serviceAccount: 'app' };
}

export interface SnapshotInput {
  readonly services?: readonly MeshService[];
  /** By hostname. */
  readonly endpoints?: Readonly<Record<string, readonly Endpoint[]>>;
  readonly workloads?: readonly Workload[];
  readonly routeRules?: readonly RouteRule[];
  readonly destinationPolicies?: readonly DestinationPolicy[];
  readonly sidecars?: readonly SidecarScope[];
}

export function snapshotOf(input: SnapshotInput): MeshSnapshot {
  return {
    settings: SETTINGS,
    services: PersistentMap((input.services ?? []).map((entry) => [entry.key, entry])),
    endpoints: PersistentMap(Object.entries(input.endpoints ?? {})),
    workloads: PersistentMap((input.workloads ?? []).map((entry) => [entry.uid, entry])),
    routeRules: PersistentMap((input.routeRules ?? []).map((entry) => [entry.key, entry])),
    destinationPolicies: PersistentMap((input.destinationPolicies ?? []).map((entry) => [entry.key, entry])),
    sidecars: PersistentMap((input.sidecars ?? []).map((entry) => [entry.key, entry])),
    policies: PersistentMap(),
  };
}

/** What differs between two snapshots; between nothing and a snapshot, all of it. */
export function deltaBetween(before: MeshSnapshot | undefined, after: MeshSnapshot): MeshDelta {
  return {
    services: differing(before?.services, after.services),
    endpoints: differing(before?.endpoints, after.endpoints),
    workloads: differing(before?.workloads, after.workloads),
    routeRules: differing(before?.routeRules, after.routeRules),
    destinationPolicies: differing(before?.destinationPolicies, after.destinationPolicies),
    sidecars: differing(before?.sidecars, after.sidecars),
    policies: new Set(),
    settings: false,
  };
}

function differing<Value>(
  before: PersistentMap<string, Value> = PersistentMap(),
  after: PersistentMap<string, Value>,
): Set<string> {
  const names = new Set([...before.keys(), ...after.keys()]);
  return new Set([...names].filter((name) => JSON.stringify(before.get(name)) !== JSON.stringify(after.get(name))));
}
