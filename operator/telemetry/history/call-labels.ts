import { readSubject } from '../../../proxy/peer-subject.ts';
import { isFailure, isNoRequest } from '../outcome.ts';

/** What the labels of a time series say of the calls that it counts. */
export interface CallLabels {
  readonly side: 'caller' | 'server';
  /** Hostname that was called; '' when the server's side does not know it. Of calls out of the mesh the name of the cluster they took. */
  readonly service: string;
  /** Revision that was called, where the cluster is one of a revision; '' when the cluster is not known. */
  readonly revision: string | undefined;
  /** SPIFFE ID of the other end; '' where it has none, or none was seen. */
  readonly peer: string;
  /** Node that its certificate says it is of (`namespace/name`); '' where there is none. */
  readonly peerNode: string;
  readonly code: string;
  readonly flags: string;
  /** gRPC status; '' where there is none. */
  readonly grpc: string;
  readonly failed: boolean;
  /** The other end was reached, so that it is known how. */
  readonly reached: boolean;
}

/** Envoy's response flags of requests that no server was connected to. */
const NOT_REACHED = new Set(['UF', 'UH', 'UO', 'NR', 'NC', 'RL', 'RLSE', 'FI', 'UAEX', 'DT', 'OM']);

/** Envoy's flags of connections of TCP that never reached a server. UF is of one attempt, and the next may succeed. */
const NEVER_CONNECTED = new Set(['URX', 'UH', 'UO', 'NC', 'NR']);

/**
 * Reads the labels of a series of TCP: a connection fails when it never reaches a server.
 * @returns undefined for what was no connection
 */
export function readConnectionLabels(labels: ReadonlyMap<string, string>): CallLabels | undefined {
  const call = readCallLabels(labels);
  const failed = call?.flags.split(',').some((flag) => NEVER_CONNECTED.has(flag)) ?? false;
  return call && { ...call, code: '0', grpc: '', failed, reached: !failed };
}

/**
 * Reads a series' labels (Istio's, and Envoy's `upstream_cluster` on the caller's side). What is missing is unknown.
 * @returns undefined for what was no request
 */
export function readCallLabels(labels: ReadonlyMap<string, string>): CallLabels | undefined {
  if (isNoRequest(labels)) return undefined;
  const server = labels.get('reporter') === 'destination';
  const flags = known(labels.get('response_flags')) || '-';
  // The application never had it; the caller tries another pod, and counts what came of that.
  if (server && flags.split(',').includes('UF')) return undefined;
  const shared = {
    code: known(labels.get('response_code')) || '0',
    flags,
    grpc: known(labels.get('grpc_response_status')),
    failed: isFailure(labels),
    reached: !flags.split(',').some((flag) => NOT_REACHED.has(flag)),
  };
  if (server) {
    const [service, peer] = [known(labels.get('destination_service')), known(labels.get('source_principal'))];
    const peerNode = nodeOf(peer, known(labels.get('source_peer')));
    return { ...shared, side: 'server', service, revision: undefined, peer, peerNode, reached: true };
  }
  const peer = known(labels.get('destination_principal'));
  const peerNode = nodeOf(peer, known(labels.get('destination_peer')));
  return { ...shared, side: 'caller', ...readCluster(known(labels.get('upstream_cluster'))), peer, peerNode };
}

/** The node that a certificate is of. @param subject of the certificate */
function nodeOf(principal: string, subject: string): string {
  const name = readSubject(subject)?.canonicalService ?? '';
  const [, namespace = ''] = /\/ns\/([^/]+)\/sa\//.exec(principal) ?? [];
  return name === '' || namespace === '' ? '' : `${namespace}/${name}`;
}

/** `outbound|PORT||HOST` or `outbound|PORT||HOST|REVISION`; of single pods of a headless Service `outbound|PORT||*.HOST`. */
function readCluster(cluster: string): { service: string; revision: string | undefined } {
  const [direction, , , host, revision] = cluster.split('|');
  if (direction !== 'outbound' || host === undefined) return { service: cluster, revision: undefined };
  return { service: host, revision };
}

/** The mesh's and Envoy's words for nothing are ''. */
function known(value = ''): string {
  return value === '-' || value === 'unknown' ? '' : value;
}
