import { lookup } from 'node:dns/promises';
import { Agent as HttpAgent, type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { type BlockList, isIP, type LookupFunction } from 'node:net';
import { mayReach } from '../jwks/destination.ts';

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
    if (limit.aborted) throw new OutcallError(`no answer within ${bounds.timeoutMs} ms`);
    throw new OutcallError(`no connection (${codeOf(error)})`);
  }
}

async function follow(first: URL, body: string, bounds: OutcallBounds, signal: AbortSignal): Promise<OutcallAnswer> {
  let url = first;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const answer = await post(url, body, bounds, signal);
    const { statusCode: status = 0, headers } = answer;
    if (!REDIRECTS.has(status)) return { status, text: await readBody(answer) };
    answer.destroy();
    const next = headers.location === undefined ? null : URL.parse(headers.location, url.href);
    if (next === null || !/^https?:$/.test(next.protocol))
      throw new OutcallError(`it answers ${status} without saying where to`);
    if (url.protocol === 'https:' && next.protocol !== 'https:') throw new OutcallError('it leads from https to http');
    url = next;
  }
  throw new OutcallError(`it leads elsewhere more than ${MAX_REDIRECTS} times`);
}

async function post(url: URL, body: string, bounds: OutcallBounds, signal: AbortSignal): Promise<IncomingMessage> {
  const { proxy, insecure } = bounds;
  // The proxy is who is connected to; what it may reach is its own affair.
  const hop = proxy === undefined ? url : new URL(proxy);
  const addresses = await resolve(hop.hostname.replace(/^\[(.*)\]$/, '$1'), bounds.allowed, signal);
  const [address] = addresses;
  if (address === undefined) throw new OutcallError(`${hop.hostname} has no address that may be called`);
  // The name is not looked up again, so it can't lead elsewhere meanwhile.
  const pinned: LookupFunction = (_, { all }, done) =>
    all === true ? done(null, addresses) : done(null, address.address, address.family);
  const isHttps = url.protocol === 'https:';
  const options: RequestOptions = {
    method: 'POST',
    agent: proxy === undefined ? false : proxyAgent(isHttps, proxy),
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'accept-encoding': 'identity',
      'user-agent': 'heddle',
    },
    signal,
    ...(proxy === undefined ? { lookup: pinned } : {}),
    ...(insecure ? { rejectUnauthorized: false } : {}),
  };
  return new Promise((done, fail) => {
    const request = (isHttps ? requestHttps : requestHttp)(url, options, done);
    request.on('error', fail);
    request.end(body);
  });
}

function proxyAgent(isHttps: boolean, proxy: string): HttpAgent {
  const proxyEnv = { HTTP_PROXY: proxy, HTTPS_PROXY: proxy };
  return isHttps ? new HttpsAgent({ proxyEnv }) : new HttpAgent({ proxyEnv });
}

async function resolve(host: string, allowed: BlockList, signal: AbortSignal) {
  const found =
    isIP(host) === 0 ? await within(lookup(host, { all: true }), signal) : [{ address: host, family: isIP(host) }];
  return found.filter(({ address }) => mayReach(address, allowed));
}

/** Names can't be asked for with a time limit. */
function within<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((done, fail) => {
    signal.addEventListener('abort', () => fail(signal.reason), { once: true });
    promise.then(done, fail);
  });
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

function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'unknown';
}
