import { Map as PersistentMap } from 'immutable';
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
};

const LOCALITY = { region: '', zone: '', subzone: '' };

/** `name.namespace`, both kinds of names at once. */
export function service(name: string, ports: readonly ServicePort[], more: Partial<MeshService> = {}): MeshService {
  const [short = '', namespace = ''] = name.split('.');
  const hostname = `${short}.${namespace}.svc.cluster.local`;
  return {
    hostname,
    name: short,
    namespace,
    kind: 'ClusterIP',
    addresses: ['10.96.0.1'],
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
}

export function snapshotOf(input: SnapshotInput): MeshSnapshot {
  return {
    settings: SETTINGS,
    services: PersistentMap((input.services ?? []).map((entry) => [entry.hostname, entry])),
    endpoints: PersistentMap(Object.entries(input.endpoints ?? {})),
    workloads: PersistentMap((input.workloads ?? []).map((entry) => [entry.uid, entry])),
    policies: PersistentMap(),
  };
}

/** What differs between two snapshots; between nothing and a snapshot, all of it. */
export function deltaBetween(before: MeshSnapshot | undefined, after: MeshSnapshot): MeshDelta {
  return {
    services: differing(before?.services, after.services),
    endpoints: differing(before?.endpoints, after.endpoints),
    workloads: differing(before?.workloads, after.workloads),
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
