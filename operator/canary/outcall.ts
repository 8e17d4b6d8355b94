import type { IncomingMessage } from 'node:http';
import type { BlockList } from 'node:net';
import { errorCode, isDowngrade, locationOf, NoAddressError, sendGuarded } from '../outward/guarded-request.ts';

/** Most bytes of an answer that are read. */
const MAX_BYTES = 65_536;
const MAX_REDIRECTS = 3;
/** Those that keep the method and the body; others would make a question of another kind. */
const REDIRECTS = new Set([307, 308]);

/** Within what bounds servers are called that a user has named. */
export interface OutcallBounds {
  /** For all of it: names, redirects and the answer. */
  readonly timeoutMs: number;
  /** Addresses that are allowed although they are of this machine or of its link. */
  readonly allowed: BlockList;
  /** Takes the server's certificate unchecked. */
  readonly insecure?: boolean;
  /** URL of an HTTP proxy that the call goes through. */
  readonly proxy?: string;
  /** Ends the call. */
  readonly signal?: AbortSignal;
}

/** What a server answered. */
export interface OutcallAnswer {
  readonly status: number;
  /** At most 64 KiB of it. */
  readonly text: string;
}

/** Why there is no answer. Says nothing of the URL's path or query, which may hold a secret. */
export class OutcallError extends Error {}

/**
 * Sends JSON by POST and reads the answer, whatever its status. Whoever names the URL is not trusted: addresses are looked at before, and
 * connected to are just those.
 * @throws {OutcallError}
 */
export async function postJson(url: string, body: unknown, bounds: OutcallBounds): Promise<OutcallAnswer> {
  const limit = AbortSignal.timeout(bounds.timeoutMs);
  const signal = bounds.signal ? AbortSignal.any([limit, bounds.signal]) : limit;
  try {
    return await follow(new URL(url), JSON.stringify(body), bounds, signal);
  } catch (error) {
    if (error instanceof OutcallError) throw error;
    if (error instanceof NoAddressError) throw new OutcallError(error.message);
    if (limit.aborted) throw new OutcallError(`no answer within ${bounds.timeoutMs} ms`);
    throw new OutcallError(`no connection (${errorCode(error)})`);
  }
}

async function follow(first: URL, body: string, bounds: OutcallBounds, signal: AbortSignal): Promise<OutcallAnswer> {
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  let url = first;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const answer = await sendGuarded(url, { ...bounds, method: 'POST', headers, body, signal });
    const { statusCode: status = 0 } = answer;
    if (!REDIRECTS.has(status)) return { status, text: await readBody(answer) };
    const next = locationOf(url, answer);
    if (next === undefined || !/^https?:$/.test(next.protocol)) {
      throw new OutcallError(`it answers ${status} without saying where to`);
    }
    if (isDowngrade(url, next)) throw new OutcallError('it leads from https to http');
    url = next;
  }
  throw new OutcallError(`it leads elsewhere more than ${MAX_REDIRECTS} times`);
}

/** Reads as much as is kept; what a server sends beyond that is not waited for. */
async function readBody(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const part of answer as AsyncIterable<Buffer>) {
      parts.push(part);
      length += part.length;
      if (length >= MAX_BYTES) break;
    }
  } finally {
    answer.destroy();
  }
  return Buffer.concat(parts).subarray(0, MAX_BYTES).toString('utf8');
}
