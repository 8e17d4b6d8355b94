/** Which side of the call counted a request, whose it was, and whether it failed. */
export interface Outcome {
  readonly side: 'caller' | 'server';
  /** Hostname of the Service called; '' when the server's side does not know it. */
  readonly service: string;
  /** Revision of the cluster called; undefined on the server's side, and for a Service that is not split. */
  readonly revision: string | undefined;
  readonly failed: boolean;
}

/** Envoy's response flags of requests that got no answer from the server: refused, reset, timed out, no healthy endpoint. */
const NO_ANSWER = new Set(['UF', 'UH', 'UC', 'UT', 'LR', 'UR', 'URX', 'UO', 'NC', 'UPE', 'SI', 'DT', 'OM', 'DF']);

/**
 * gRPC status codes that are the server's fault: UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE and
 * DATA_LOSS, by number and by name, as Envoy can write either.
 */
const GRPC_FAILURES = new Set([
  ...['2', '4', '12', '13', '14', '15'],
  ...['Unknown', 'DeadlineExceeded', 'Unimplemented', 'Internal', 'Unavailable', 'DataLoss'],
]);

/** Envoy's response flag of what a client sent that is no HTTP. */
const NO_REQUEST = 'DPE';

/**
 * Reads a time series' labels (Istio's, and Envoy's `upstream_cluster` on the caller's side).
 * @returns undefined for what was no request, for requests that were for no Service of the mesh, or that the server's side could not deliver
 */
export function readOutcome(labels: ReadonlyMap<string, string>): Outcome | undefined {
  // Whoever sends garbage must fail nobody's release. Nor must a caller that got no CPU time: when its TLS handshake begins later than a
  // listener waits for it (INBOUND_SILENCE_MS), it is read as HTTP; the caller tries another connection.
  if (isNoRequest(labels)) return undefined;
  const failed = isFailure(labels);
  if (labels.get('reporter') === 'destination') {
    // The application never had it; the caller tries another pod, and counts what came of that.
    if (flagsOf(labels).includes('UF')) return undefined;
    const service = labels.get('destination_service') ?? '';
    return { side: 'server', service: service === 'unknown' ? '' : service, revision: undefined, failed };
  }
  // outbound|PORT||HOST or outbound|PORT||HOST|REVISION
  const [direction, , , service, revision] = (labels.get('upstream_cluster') ?? '').split('|');
  if (direction !== 'outbound' || service === undefined || service === '') {
    return undefined;
  }
  return { side: 'caller', service, revision, failed };
}

/** Whether the labels are of what was no HTTP at all. */
export function isNoRequest(labels: ReadonlyMap<string, string>): boolean {
  return flagsOf(labels).includes(NO_REQUEST);
}

/** Whether a request failed by the server's fault: 5xx, gRPC errors of its kind, no answer. */
export function isFailure(labels: ReadonlyMap<string, string>): boolean {
  const code = Number(labels.get('response_code') ?? '200');
  // No status at all: the caller's connection ended before an answer came, most likely because it was tired of waiting.
  if (!(code >= 100 && code < 500)) {
    return true;
  }
  if (GRPC_FAILURES.has(labels.get('grpc_response_status') ?? '')) {
    return true;
  }
  return flagsOf(labels).some((flag) => NO_ANSWER.has(flag));
}

function flagsOf(labels: ReadonlyMap<string, string>): string[] {
  return (labels.get('response_flags') ?? '').split(',');
}
