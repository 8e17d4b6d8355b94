import { lookup } from 'node:dns/promises';
import {
  Agent as HttpAgent,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestOptions,
  request as requestHttp,
} from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { type BlockList, isIP, type LookupFunction } from 'node:net';
import type { SecureContext } from 'node:tls';
import { mayReach } from './destination.ts';

/** One request to a server that a user has named. */
export interface GuardedRequest {
  readonly method: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: string | undefined;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Addresses that are allowed although they are of this machine or of its link. */
  readonly allowed: BlockList;
  /** Whose certificates are good; default: of those whom everybody trusts. */
  readonly trust?: SecureContext | undefined;
  /** Takes the server's certificate unchecked. */
  readonly insecure?: boolean | undefined;
  /** URL of an HTTP proxy that the request goes through. */
  readonly proxy?: string | undefined;
}

/** There is no address of a host that may be called. */
export class NoAddressError extends Error {
  readonly host: string;

  constructor(host: string) {
    super(`${host} has no address that may be called`);
    this.host = host;
  }
}

/** Why an answer is not read; fit for a user who may not read the answer. */
export class UnreadableAnswer extends Error {}

/**
 * Sends a request and gives the answer as a stream; follows no redirect. Whoever names the URL is not trusted: addresses are looked at before,
 * and connected to are just those.
 * @throws {NoAddressError} when none of them may be called
 */
export async function sendGuarded(url: URL, request: GuardedRequest): Promise<IncomingMessage> {
  const { method, headers, body, signal, allowed, trust, insecure, proxy } = request;
  // The proxy is who is connected to; what it may reach is its own affair.
  const hop = proxy === undefined ? url : new URL(proxy);
  const addresses = await resolve(hop.hostname.replace(/^\[(.*)\]$/, '$1'), allowed, signal);
  const [first] = addresses;
  if (first === undefined) throw new NoAddressError(hop.hostname);
  // The name is not looked up again, so it can't lead elsewhere meanwhile.
  const pinned: LookupFunction = (_, { all }, done) =>
    all === true ? done(null, addresses) : done(null, first.address, first.family);
  const isHttps = url.protocol === 'https:';
  const options: RequestOptions & { secureContext?: SecureContext } = {
    method,
    agent: proxy === undefined ? false : proxyAgent(isHttps, proxy),
    headers: { 'accept-encoding': 'identity', 'user-agent': 'heddle', ...headers },
    signal,
    ...(proxy === undefined ? { lookup: pinned } : {}),
    ...(insecure ? { rejectUnauthorized: false } : {}),
    ...(trust ? { secureContext: trust } : {}),
  };
  return new Promise((done, fail) => {
    const sent = (isHttps ? requestHttps : requestHttp)(url, options, done);
    sent.on('error', fail);
    sent.end(body);
  });
}

/** Where a redirect leads; undefined when it does not say. The answer is not read any further. */
export function locationOf(url: URL, answer: IncomingMessage): URL | undefined {
  answer.destroy();
  const { location } = answer.headers;
  return location === undefined ? undefined : (URL.parse(location, url.href) ?? undefined);
}

/** Whether a redirect gives up TLS. */
export function isDowngrade(from: URL, to: URL): boolean {
  return from.protocol === 'https:' && to.protocol !== 'https:';
}

/**
 * Reads the whole body.
 * @throws {UnreadableAnswer} when it is longer, or compressed
 */
export async function readText(answer: IncomingMessage, maxBytes: number): Promise<string> {
  const { headers } = answer;
  const tooLong = `the answer has more than ${maxBytes} bytes`;
  const parts: Buffer[] = [];
  let length = 0;
  try {
    if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
      throw new UnreadableAnswer('the answer is compressed, which was not asked for');
    }
    if (Number(headers['content-length'] ?? 0) > maxBytes) throw new UnreadableAnswer(tooLong);
    for await (const part of answer as AsyncIterable<Buffer>) {
      length += part.length;
      if (length > maxBytes) throw new UnreadableAnswer(tooLong);
      parts.push(part);
    }
  } finally {
    answer.destroy();
  }
  return Buffer.concat(parts).toString('utf8');
}

/** Node's or OpenSSL's code of an error; `unknown` when it has none. */
export function errorCode(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'unknown';
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
