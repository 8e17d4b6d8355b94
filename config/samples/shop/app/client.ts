import { Agent, type IncomingHttpHeaders, request } from 'node:http';

/** Headers that belong to the trace and not to one hop: whoever calls on behalf of a request passes them on. */
const TRACING = [
  'traceparent',
  'tracestate',
  'baggage',
  'x-request-id',
  'b3',
  'x-b3-traceid',
  'x-b3-spanid',
  'x-b3-parentspanid',
  'x-b3-sampled',
  'x-b3-flags',
  'x-cloud-trace-context',
];

const TIMEOUT_MS = 10_000;
const agent = new Agent({ keepAlive: true });

export interface Response {
  readonly status: number;
  readonly body: string;
}

/** The tracing headers among `headers`. */
export function tracingHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of TRACING) {
    const value = headers[name];
    if (typeof value === 'string') kept[name] = value;
  }
  return kept;
}

/**
 * Sends one request and reads the whole answer.
 * @param body sent as JSON; undefined for none
 * @throws {Error} with a `code` such as ECONNREFUSED, or ETIMEDOUT after 10 s
 */
export function call(method: string, url: string, headers: Record<string, string>, body?: string): Promise<Response> {
  return new Promise((resolve, reject) => {
    const content =
      body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const outgoing = request(url, { method, agent, headers: { ...headers, ...content } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    outgoing.setTimeout(TIMEOUT_MS, () =>
      outgoing.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })),
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** The code of an error of `call`, e.g. ECONNRESET. */
export function errorCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : 'unknown';
}
