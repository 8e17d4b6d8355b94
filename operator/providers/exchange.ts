import { lookup } from 'node:dns/promises';
import { type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { type BlockList, isIP, type LookupFunction } from 'node:net';
import type { SecureContext } from 'node:tls';
import { mayReach } from '../jwks/destination.ts';
import { connectionProblem } from '../jwks/tls-trust.ts';
import { type ProviderAnswer, type ProviderRequest, QueryError } from './provider.ts';

/** Most bytes of an answer that are read: it is to be one number. */
const MAX_BYTES = 1_048_576;
const MAX_REDIRECTS = 3;
/** Those that keep method and body; others follow a GET alone. */
const KEEPING = new Set([307, 308]);
const REDIRECTS = new Set([301, 302, 303, ...KEEPING]);

/** Within what bounds providers are asked. */
export interface ExchangeBounds {
  /** Ends it: the time is up, or nobody wants the answer any more. */
  readonly signal: AbortSignal;
  /** Addresses that are allowed although they are of this machine or its link. */
  readonly allowed: BlockList;
  /** Whose certificates are good; default: of those whom everybody trusts. */
  readonly trust?: SecureContext;
  /** Takes the server's certificate unchecked. */
  readonly insecure: boolean;
}

/**
 * Sends a request and reads the answer, whatever its status. Whoever names the URL is not trusted: addresses are looked at before, and connected to
 * are just those; a redirect to another host gets no credentials.
 * @throws {QueryError} without an answer
 */
export async function exchange(request: ProviderRequest, bounds: ExchangeBounds): Promise<ProviderAnswer> {
  try {
    return await follow(request, bounds);
  } catch (error) {
    if (error instanceof QueryError) throw error;
    if (bounds.signal.aborted) throw new QueryError('TimedOut', 'there was no answer in time');
    throw new QueryError('NoConnection', connectionProblem(codeOf(error)));
  }
}

async function follow(first: ProviderRequest, bounds: ExchangeBounds): Promise<ProviderAnswer> {
  const method = first.method ?? 'GET';
  let { headers = {} } = first;
  let url = new URL(first.url);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const answer = await send(url, { ...first, method, headers }, bounds);
    const { statusCode: status = 0, headers: told } = answer;
    if (!(method === 'GET' ? REDIRECTS : KEEPING).has(status)) return { status, text: await readBody(answer) };
    answer.destroy();
    const next = told.location === undefined ? null : URL.parse(told.location, url.href);
    if (next === null || !/^https?:$/.test(next.protocol)) {
      throw new QueryError('ServerRefused', `the server answered ${status} without saying where to`);
    }
    if (url.protocol === 'https:' && next.protocol !== 'https:')
      throw new QueryError('DestinationRefused', 'it leads from https to http');
    if (next.host !== url.host) headers = {};
    url = next;
  }
  throw new QueryError('DestinationRefused', `it leads elsewhere more than ${MAX_REDIRECTS} times`);
}

async function send(url: URL, request: ProviderRequest, bounds: ExchangeBounds): Promise<IncomingMessage> {
  const { allowed, trust, insecure, signal } = bounds;
  const addresses = await resolve(url.hostname.replace(/^\[(.*)\]$/, '$1'), allowed, signal);
  const [first] = addresses;
  if (first === undefined) {
    const remedy = "the mesh's setting metrics.allowedAddresses can allow one";
    throw new QueryError('DestinationRefused', `${url.hostname} has no address that may be asked; ${remedy}`);
  }
  // The name is not looked up again, so it can't lead elsewhere meanwhile.
  const pinned: LookupFunction = (_, { all }, done) =>
    all === true ? done(null, addresses) : done(null, first.address, first.family);
  const options: RequestOptions & { secureContext?: SecureContext } = {
    method: request.method ?? 'GET',
    agent: false,
    lookup: pinned,
    signal,
    headers: { 'accept-encoding': 'identity', 'user-agent': 'heddle', ...request.headers },
    ...(insecure ? { rejectUnauthorized: false } : {}),
    ...(trust ? { secureContext: trust } : {}),
  };
  return new Promise((done, fail) => {
    const sent = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, options, done);
    sent.on('error', fail);
    sent.end(request.body);
  });
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

async function readBody(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  try {
    if ((answer.headers['content-encoding'] ?? 'identity') !== 'identity') {
      throw new QueryError('AnswerUnreadable', 'the answer is compressed, which was not asked for');
    }
    for await (const part of answer as AsyncIterable<Buffer>) {
      length += part.length;
      if (length > MAX_BYTES) throw new QueryError('AnswerUnreadable', `the answer has more than ${MAX_BYTES} bytes`);
      parts.push(part);
    }
  } finally {
    answer.destroy();
  }
  return Buffer.concat(parts).toString('utf8');
}

function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'unknown';
}
