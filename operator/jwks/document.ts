import { lookup } from 'node:dns/promises';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { type BlockList, isIP, type LookupFunction } from 'node:net';
import type { SecureContext } from 'node:tls';
import { jwksUriProblem } from '../../api/jwks-source.ts';
import { mayReach } from './destination.ts';
import { connectionProblem } from './tls-trust.ts';

/** Most bytes that are read of an answer. */
const MAX_BYTES = 1_048_576;
const MAX_REDIRECTS = 3;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Within what bounds documents are fetched. */
export interface FetchBounds {
  /** For all of it: names, redirects and the answer. */
  readonly timeoutMs: number;
  /** Addresses that are allowed although they would not be. */
  readonly allowed: BlockList;
  /** Whose certificates are good; default: of those whom everybody trusts. */
  readonly trust?: SecureContext;
}

/** Why a document could not be fetched; what it says is fit for a user who may not read the document. */
export class FetchError extends Error {}

/**
 * Fetches a document by https or http. Whoever names the URI is not trusted: addresses are looked at before, and connected to are just those.
 * @throws {FetchError}
 */
export async function fetchDocument(uri: string, bounds: FetchBounds): Promise<string> {
  const signal = AbortSignal.timeout(bounds.timeoutMs);
  try {
    return await follow(uri, bounds, signal);
  } catch (error) {
    if (error instanceof FetchError) throw error;
    if (signal.aborted) throw new FetchError(`it took longer than ${bounds.timeoutMs} ms`);
    throw new FetchError(connectionProblem(codeOf(error)));
  }
}

async function follow(uri: string, bounds: FetchBounds, signal: AbortSignal): Promise<string> {
  let url = checkedUrl(uri);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const answer = await get(url, bounds, signal);
    const { statusCode = 0, headers } = answer;
    if (!REDIRECTS.has(statusCode)) return await readBody(answer);
    answer.destroy();
    if (headers.location === undefined || !URL.canParse(headers.location, url.href)) {
      throw new FetchError(`the server answered ${statusCode} without saying where to`);
    }
    const next = checkedUrl(new URL(headers.location, url).href);
    if (url.protocol === 'https:' && next.protocol !== 'https:') throw new FetchError('it leads from https to http');
    url = next;
  }
  throw new FetchError(`it leads elsewhere more than ${MAX_REDIRECTS} times`);
}

function checkedUrl(uri: string): URL {
  const problem = jwksUriProblem(uri);
  if (problem !== undefined) throw new FetchError(`the URL ${problem}`);
  return new URL(uri);
}

async function get(url: URL, { allowed, trust }: FetchBounds, signal: AbortSignal): Promise<IncomingMessage> {
  const addresses = await resolve(url.hostname.replace(/^\[(.*)\]$/, '$1'), allowed, signal);
  const [first] = addresses;
  if (first === undefined) {
    const remedy = "the mesh's setting jwks.allowedAddresses can allow one";
    throw new FetchError(`${url.hostname} has no address that keys may be fetched from; ${remedy}`);
  }
  // The name is not looked up again, so it can't lead elsewhere meanwhile.
  const pinned: LookupFunction = (_, { all }, done) =>
    all === true ? done(null, addresses) : done(null, first.address, first.family);
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  const headers = { accept: 'application/json', 'accept-encoding': 'identity', 'user-agent': 'heddle' };
  return new Promise((done, fail) => {
    const request = send(
      url,
      { agent: false, lookup: pinned, headers, signal, ...(trust && { secureContext: trust }) },
      done,
    );
    request.on('error', fail);
    request.end();
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
  const { statusCode, headers } = answer;
  const problem =
    statusCode !== 200
      ? `the server answered ${statusCode}`
      : (headers['content-encoding'] ?? 'identity') !== 'identity'
        ? 'the answer is compressed, which was not asked for'
        : Number(headers['content-length'] ?? 0) > MAX_BYTES
          ? `the answer has more than ${MAX_BYTES} bytes`
          : undefined;
  const parts: Buffer[] = [];
  let length = 0;
  try {
    if (problem !== undefined) throw new FetchError(problem);
    for await (const part of answer as AsyncIterable<Buffer>) {
      length += part.length;
      if (length > MAX_BYTES) throw new FetchError(`the answer has more than ${MAX_BYTES} bytes`);
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
