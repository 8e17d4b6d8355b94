import { percentSigns } from './header-commands.ts';

/** Commands of Envoy that a header's value may hold between per cent signs, as in `%DOWNSTREAM_REMOTE_ADDRESS%`. */
const COMMANDS = new Set([
  ...['ACCESS_LOG_TYPE', 'BYTES_RECEIVED', 'BYTES_SENT', 'CLUSTER_METADATA', 'COMMON_DURATION', 'CONNECTION_ID'],
  ...[
    'CONNECTION_TERMINATION_DETAILS',
    'DURATION',
    'DYNAMIC_METADATA',
    'EMIT_TIME',
    'ENVIRONMENT',
    'FILTER_CHAIN_NAME',
  ],
  ...['FILTER_STATE', 'GRPC_STATUS', 'GRPC_STATUS_NUMBER', 'HOSTNAME', 'LOCAL_REPLY_BODY', 'METADATA', 'PATH'],
  ...['PER_REQUEST_STATE', 'PROTOCOL', 'QUERY_PARAM', 'QUERY_PARAMS', 'REQ', 'REQ_WITHOUT_QUERY', 'REQUEST_DURATION'],
  ...['REQUEST_HEADER', 'REQUEST_HEADERS_BYTES', 'REQUEST_TX_DURATION', 'REQUESTED_SERVER_NAME', 'RESP'],
  ...['RESPONSE_CODE', 'RESPONSE_CODE_DETAILS', 'RESPONSE_DURATION', 'RESPONSE_FLAGS', 'RESPONSE_FLAGS_LONG'],
  ...['RESPONSE_HEADERS_BYTES', 'RESPONSE_TRAILERS_BYTES', 'RESPONSE_TX_DURATION', 'ROUNDTRIP_DURATION', 'ROUTE_NAME'],
  ...['START_TIME', 'START_TIME_LOCAL', 'STREAM_ID', 'TLS_JA3_FINGERPRINT', 'TLS_JA4_FINGERPRINT', 'TRACE_ID'],
  ...['TRAILER', 'UNIQUE_ID', 'VIRTUAL_CLUSTER_NAME'],
]);
/** Families of commands that are too many to list: what Envoy knows of the connection on either side. */
const FAMILY = /^(?:UP|DOWN)STREAM_[A-Z0-9_]+$/;

/**
 * Judges the value that a header is set to. Envoy refuses all routes of a listener for one value that it can't read.
 * @returns what is wrong and how to mend it, without a full stop at the end
 */
export function headerValueProblem(value: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value)) return 'must not hold control characters such as a line break';
  let isLone = false;
  for (const { written, name } of percentSigns(value)) {
    isLone ||= written === undefined;
    if (name !== undefined && !COMMANDS.has(name) && !FAMILY.test(name)) {
      return `must not hold ${written}, which is no command of Envoy; write %% for a per cent sign`;
    }
  }
  return isLone ? 'must not hold a lone per cent sign; write %%' : undefined;
}
