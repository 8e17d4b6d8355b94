import { type Address, formatAddress } from '../proxy/envoy-json.ts';
import type { Direction } from '../proxy/section.ts';
import { redactHeader, redactPath } from './redact.ts';

/** A request as a sidecar saw it; nothing in it that may not be shown. */
export interface TracedRequest {
  /** ISO 8601, when its headers came. */
  readonly time: string;
  readonly pod: string;
  readonly direction: Direction;
  readonly method: string;
  readonly authority: string;
  readonly path: string;
  /** '' when there was no answer. */
  readonly status: string;
  readonly grpcStatus?: string;
  /** Until the headers of the answer came; undefined: none came. */
  readonly milliseconds?: number;
  /** `IP:PORT` of who sent it. */
  readonly source: string;
  /** `IP:PORT` that was called. */
  readonly destination: string;
  readonly requestHeaders: readonly HeaderLine[];
  readonly responseHeaders: readonly HeaderLine[];
}

export interface HeaderLine {
  readonly name: string;
  readonly value: string;
}

/** Envoy's TraceWrapper, as far as it is read. */
interface Trace {
  readonly http_buffered_trace?: {
    readonly request?: Message;
    readonly response?: Message;
    readonly downstream_connection?: { readonly local_address?: Address; readonly remote_address?: Address };
  };
}

interface Message {
  readonly headers?: readonly RawHeader[];
  readonly trailers?: readonly RawHeader[];
  readonly headers_received_time?: string;
}

interface RawHeader {
  readonly key?: string;
  readonly value?: string;
}

/**
 * Reads a trace of `/tap`.
 * @param addresses of the pod: what is called there is inbound
 * @returns undefined when it is none of a request
 */
export function readTrace(trace: unknown, pod: string, addresses: readonly string[]): TracedRequest | undefined {
  const { request, response, downstream_connection: connection } = (trace as Trace).http_buffered_trace ?? {};
  if (request === undefined) return undefined;
  const [asked, answered] = [headersOf(request.headers), headersOf(response?.headers)];
  const grpcStatus = headersOf(response?.trailers).get('grpc-status') ?? answered.get('grpc-status');
  const [sent, came] = [request.headers_received_time, response?.headers_received_time].map((time = '') =>
    microseconds(time),
  );
  const local = connection?.local_address?.socket_address?.address ?? '';
  return {
    time: request.headers_received_time ?? '',
    pod,
    direction: addresses.includes(local) ? 'inbound' : 'outbound',
    method: asked.get(':method') ?? '',
    authority: asked.get(':authority') ?? '',
    path: redactPath(asked.get(':path') ?? ''),
    status: answered.get(':status') ?? '',
    ...(grpcStatus === undefined ? {} : { grpcStatus }),
    ...(sent === undefined || came === undefined ? {} : { milliseconds: Math.max(0, came - sent) / 1000 }),
    source: formatAddress(connection?.remote_address),
    destination: formatAddress(connection?.local_address),
    requestHeaders: linesOf(request.headers),
    responseHeaders: linesOf(response?.headers),
  };
}

function headersOf(headers: readonly RawHeader[] = []): ReadonlyMap<string, string> {
  return new Map(headers.map(({ key = '', value = '' }) => [key, value]));
}

function linesOf(headers: readonly RawHeader[] = []): HeaderLine[] {
  return headers.map(({ key: name = '', value = '' }) => ({ name, value: redactHeader(name, value) }));
}

/** Since the epoch; Date knows no more than milliseconds. */
function microseconds(time: string): number | undefined {
  const whole = Date.parse(time);
  if (Number.isNaN(whole)) return undefined;
  const fraction = /\.(\d+)Z?$/.exec(time)?.[1] ?? '';
  return Math.floor(whole / 1000) * 1_000_000 + Number(fraction.padEnd(6, '0').slice(0, 6));
}
