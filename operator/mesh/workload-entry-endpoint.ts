import { isAddress } from '../../api/field-check.ts';
import { TLS_MODE_ISTIO, TLS_MODE_LABEL } from '../../api/pod-names.ts';
import type { WorkloadEntrySpec } from '../../api/workload-entry.ts';
import { isUnixAddress } from '../../api/workload-entry-judgement.ts';
import { matchLocalityLabel, parseLocality } from './locality.ts';
import { plainPorts, portMode } from './mtls.ts';
import type { MtlsScopes } from './mtls-scopes.ts';
import { NO_LOCALITY } from './node.ts';
import type { Labels } from './selector.ts';
import type { Endpoint, Locality, MeshSettings, ServicePort } from './snapshot.ts';
import { spiffeIdOf } from './spiffe-id.ts';

/** Envoy refuses endpoints whose weights add up to more. */
const MAX_TOTAL_WEIGHT = 4_294_967_295;

/** A workload that is no pod: a WorkloadEntry, or an endpoint that a ServiceEntry lists. */
export interface EntryWorkload {
  /** An IP or a DNS name. */
  readonly address: string;
  /** Where it listens, by name of the port of the service. */
  readonly ports: Readonly<Record<string, number>>;
  readonly labels: Labels;
  readonly weight: number;
  readonly locality: Locality;
  /** Whose identity it has; absent when it speaks no mesh mTLS. */
  readonly serviceAccount?: string;
}

/**
 * Reads a valid WorkloadEntry or endpoint of a ServiceEntry.
 * @param labels all it has
 * @returns undefined where there is nothing to connect to: a Unix domain socket, or only a network
 */
export function readEntryWorkload(spec: WorkloadEntrySpec, labels: Labels): EntryWorkload | undefined {
  const { address = '', ports = {}, weight = 0, locality = '', serviceAccount = '' } = spec;
  if (address === '' || isUnixAddress(address)) return undefined;
  const place = locality === '' ? matchLocalityLabel(labels) : parseLocality(locality);
  return {
    address,
    ports,
    labels,
    weight: weight > 0 ? weight : 1,
    locality: place ?? NO_LOCALITY,
    ...(serviceAccount !== '' && takesMeshTls(labels) ? { serviceAccount } : {}),
  };
}

/** Whether its address is one that needs no DNS. */
export function hasIpAddress({ address }: EntryWorkload): boolean {
  return isAddress(address);
}

/**
 * The workload as an endpoint of a service. PeerAuthentication says of it, as of a pod, whether it may be called by mesh mTLS.
 * @param namespace of the service and the workload
 * @param inMesh whether the service may be called by mesh mTLS
 */
export function buildEntryEndpoint(
  { settings, mtlsScopes }: { readonly settings: MeshSettings; readonly mtlsScopes: MtlsScopes },
  namespace: string,
  { address, labels, weight, locality, serviceAccount, ports }: EntryWorkload,
  servicePorts: readonly ServicePort[],
  inMesh: boolean,
): Endpoint {
  const numbers = portsOf(servicePorts, ports);
  const plaintextPorts = (): readonly number[] | 'all' => {
    if (!inMesh || serviceAccount === undefined) return 'all';
    const { effective } = mtlsScopes.match(namespace, labels);
    return plainPorts(effective, Object.values(numbers), (port) => portMode(effective, port) === 'DISABLE');
  };
  const plain = plaintextPorts();
  const spiffeId =
    plain === 'all' || serviceAccount === undefined ? undefined : spiffeIdOf(settings, namespace, serviceAccount);
  return {
    address,
    labels,
    weight,
    ports: numbers,
    namespace,
    ...(spiffeId === undefined ? {} : { spiffeId }),
    mtls: spiffeId !== undefined,
    plaintextPorts: plain === 'all' ? [] : plain,
    revision: '',
    gated: false,
    locality,
  };
}

/**
 * Port numbers of an endpoint by name of the service's ports: the endpoint's own over `targetPort`. A `targetPort` that is a name
 * is looked up among the endpoint's own; one that is not there is not served.
 */
export function portsOf(
  servicePorts: readonly ServicePort[],
  own: Readonly<Record<string, number>>,
): Record<string, number> {
  const ports: [string, number][] = [];
  for (const { name, targetPort } of servicePorts) {
    const wanted = typeof targetPort === 'number' ? name : targetPort;
    const fallback = typeof targetPort === 'number' ? targetPort : undefined;
    const port = Object.hasOwn(own, wanted) ? own[wanted] : fallback;
    if (port !== undefined) ports.push([name, port]);
  }
  return Object.fromEntries(ports.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The same endpoints with weights that add up to what Envoy takes, in the same proportions as nearly as can be. */
export function boundWeights(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const total = endpoints.reduce((sum, { weight }) => sum + weight, 0);
  if (total <= MAX_TOTAL_WEIGHT) return endpoints;
  const scale = (MAX_TOTAL_WEIGHT - endpoints.length) / total;
  return endpoints.map((endpoint) => ({ ...endpoint, weight: Math.max(1, Math.floor(endpoint.weight * scale)) }));
}

/** As in Istio: the label says so, or, without it, the service account that the workload was given. */
function takesMeshTls(labels: Labels): boolean {
  return !Object.hasOwn(labels, TLS_MODE_LABEL) || labels[TLS_MODE_LABEL] === TLS_MODE_ISTIO;
}
