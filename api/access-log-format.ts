import { percentSigns } from './header-commands.ts';

/** Commands that stand alone. */
const ALONE = [
  ...['ACCESS_LOG_TYPE', 'BYTES_RECEIVED', 'BYTES_SENT', 'CONNECTION_ID', 'CONNECTION_TERMINATION_DETAILS', 'DURATION'],
  ...['FILTER_CHAIN_NAME', 'GRPC_STATUS', 'GRPC_STATUS_NUMBER', 'HOSTNAME', 'PATH', 'PROTOCOL', 'REQUEST_DURATION'],
  ...[
    'REQUEST_HEADERS_BYTES',
    'REQUEST_TX_DURATION',
    'REQUESTED_SERVER_NAME',
    'RESPONSE_CODE',
    'RESPONSE_CODE_DETAILS',
  ],
  ...[
    'RESPONSE_DURATION',
    'RESPONSE_FLAGS',
    'RESPONSE_FLAGS_LONG',
    'RESPONSE_HEADERS_BYTES',
    'RESPONSE_TRAILERS_BYTES',
  ],
  ...['RESPONSE_TX_DURATION', 'ROUNDTRIP_DURATION', 'ROUTE_NAME', 'STREAM_ID', 'TLS_JA3_FINGERPRINT', 'TRACE_ID'],
  ...['UNIQUE_ID', 'VIRTUAL_CLUSTER_NAME', 'DOWNSTREAM_REMOTE_ADDRESS', 'DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT'],
  ...['DOWNSTREAM_REMOTE_PORT', 'DOWNSTREAM_DIRECT_REMOTE_ADDRESS', 'DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT'],
  ...['DOWNSTREAM_LOCAL_ADDRESS', 'DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT', 'DOWNSTREAM_LOCAL_PORT'],
  ...['DOWNSTREAM_PEER_URI_SAN', 'DOWNSTREAM_LOCAL_URI_SAN', 'DOWNSTREAM_PEER_SUBJECT', 'DOWNSTREAM_TLS_VERSION'],
  ...['DOWNSTREAM_TLS_CIPHER', 'DOWNSTREAM_TRANSPORT_FAILURE_REASON', 'DOWNSTREAM_WIRE_BYTES_SENT'],
  ...['DOWNSTREAM_WIRE_BYTES_RECEIVED', 'DOWNSTREAM_HEADER_BYTES_SENT', 'DOWNSTREAM_HEADER_BYTES_RECEIVED'],
  ...['UPSTREAM_REMOTE_ADDRESS', 'UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT', 'UPSTREAM_REMOTE_PORT', 'UPSTREAM_HOST'],
  ...['UPSTREAM_LOCAL_ADDRESS', 'UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT', 'UPSTREAM_LOCAL_PORT', 'UPSTREAM_CLUSTER'],
  ...['UPSTREAM_CLUSTER_RAW', 'UPSTREAM_PEER_URI_SAN', 'UPSTREAM_LOCAL_URI_SAN', 'UPSTREAM_TLS_VERSION'],
  ...['UPSTREAM_TRANSPORT_FAILURE_REASON', 'UPSTREAM_REQUEST_ATTEMPT_COUNT', 'UPSTREAM_PROTOCOL'],
  ...['UPSTREAM_WIRE_BYTES_SENT', 'UPSTREAM_WIRE_BYTES_RECEIVED', 'UPSTREAM_HOST_NAME', 'UPSTREAM_CONNECTION_ID'],
];
const NOTHING = /^$/;
/** Name of a header, and of another that stands in for it, and how much of it. */
const OF_HEADER = /^\(:?[-\w]+(?:\?:?[-\w]+)?\)(?::[0-9]{1,5})?$/;
const OF_METADATA = /^\([-.\w]+(?::[-.\w]+)*\)$/;
const OF_STATE = /^\([-.\w]+(?::(?:PLAIN|TYPED))?\)(?::[0-9]{1,5})?$/;

/** Commands of Envoy (1.40) that may stand in a text, by what may follow the name. */
const COMMANDS: ReadonlyMap<string, RegExp> = new Map([
  ...ALONE.map((name): [string, RegExp] => [name, NOTHING]),
  ...['REQ', 'RESP', 'TRAILER'].map((name): [string, RegExp] => [name, OF_HEADER]),
  ...['DYNAMIC_METADATA', 'CLUSTER_METADATA', 'UPSTREAM_METADATA'].map((name): [string, RegExp] => [name, OF_METADATA]),
  ['FILTER_STATE', OF_STATE],
  ['ENVIRONMENT', /^\(\w+\)(?::[0-9]{1,5})?$/],
  ['START_TIME', /^(?:\([-%/:. ,\w]*\))?$/],
]);

/**
 * Judges a text of an access log or a tag, with commands between per cent signs. Envoy refuses the whole listener for one that it can't read.
 * @returns what is wrong and how to mend it, without a full stop at the end
 */
export function accessLogFormatProblem(text: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(text)) return 'must not hold control characters';
  for (const { written, name } of percentSigns(text)) {
    if (written === undefined) return 'must not hold a lone per cent sign; write %%';
    if (name === undefined) continue;
    const rest = written.slice(1 + name.length, -1);
    const allowed = COMMANDS.get(name);
    if (allowed === undefined) return `must not hold ${written}, which is no command that may stand here`;
    if (allowed.test(rest)) continue;
    return rest === ''
      ? `must not hold ${written} without an argument, as in %REQ(X-REQUEST-ID)%`
      : `must not hold ${written}: ${name} takes no such argument or length`;
  }
  return undefined;
}
