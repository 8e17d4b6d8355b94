import { Agent, type IncomingHttpHeaders } from 'node:http';
import { callHttp, errorCode } from './calls.ts';
import { echoOf, type Upstream } from './echo.ts';
import { queryOf } from './wishes.ts';

/** Headers that an application passes on, so that a trace, a user and a count go through the whole chain. */
const PASSED_ON = [
  'x-request-id',
  'x-key',
  'end-user',
  'traceparent',
  'tracestate',
  'b3',
  'x-b3-traceid',
  'x-b3-spanid',
];

const DEFAULT_TIMEOUT_MS = 30_000;

// One for the process, as an application's HTTP client has. The number of connections is no limit of it: that is the pool's.
const agent = new Agent({ keepAlive: true, timeout: 60_000 });

/**
 * For `/call?url=URL&timeout=MS`: calls the URL, and says what to answer: the status that came back, 504 when none came in time
 * and 502 when the call failed.
 * @returns undefined when the path is not `/call`
 */
export async function callOn(
  path: string,
  received: IncomingHttpHeaders,
): Promise<{ status: number; upstream: Upstream } | undefined> {
  if (!path.startsWith('/call?')) return undefined;
  const query = queryOf(path);
  const url = query.get('url') ?? '';
  const timeoutMs = Number(query.get('timeout') ?? DEFAULT_TIMEOUT_MS);
  const headers = Object.fromEntries(
    PASSED_ON.flatMap((name) => {
      const value = received[name];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
  const start = performance.now();
  const ms = (): number => Math.round(performance.now() - start);
  try {
    const { status = 502, body = '' } = await callHttp(url, {
      method: 'GET',
      headers,
      body: undefined,
      timeoutMs,
      agent,
    });
    const echo = echoOf(body);
    return { status, upstream: { url, status, ms: ms(), ...(echo && { echo }) } };
  } catch (error) {
    const code = errorCode(error);
    return { status: code === 'ETIMEDOUT' ? 504 : 502, upstream: { url, error: code, ms: ms() } };
  }
}

/** Closes the connections that calls on have left open. */
export function closeCalls(): void {
  agent.destroy();
}
