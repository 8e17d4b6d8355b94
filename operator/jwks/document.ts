import type { IncomingMessage } from 'node:http';
import type { BlockList } from 'node:net';
import type { SecureContext } from 'node:tls';
import { jwksUriProblem } from '../../api/jwks-source.ts';
import {
  errorCode,
  isDowngrade,
  locationOf,
  NoAddressError,
  readText,
  sendGuarded,
  UnreadableAnswer,
} from '../outward/guarded-request.ts';
import { connectionProblem } from '../outward/tls-trust.ts';

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
    if (error instanceof UnreadableAnswer) throw new FetchError(error.message);
    if (error instanceof NoAddressError) throw new FetchError(refusal(error));
    if (signal.aborted) throw new FetchError(`it took longer than ${bounds.timeoutMs} ms`);
    throw new FetchError(connectionProblem(errorCode(error), 'jwks'));
  }
}

async function follow(uri: string, bounds: FetchBounds, signal: AbortSignal): Promise<string> {
  let url = checkedUrl(uri);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const answer = await sendGuarded(url, {
      ...bounds,
      method: 'GET',
      headers: { accept: 'application/json' },
      signal,
    });
    const { statusCode = 0 } = answer;
    if (!REDIRECTS.has(statusCode)) return readDocument(answer);
    const location = locationOf(url, answer);
    if (location === undefined) throw new FetchError(`the server answered ${statusCode} without saying where to`);
    const next = checkedUrl(location.href);
    if (isDowngrade(url, next)) throw new FetchError('it leads from https to http');
    url = next;
  }
  throw new FetchError(`it leads elsewhere more than ${MAX_REDIRECTS} times`);
}

function readDocument(answer: IncomingMessage): Promise<string> {
  if (answer.statusCode === 200) return readText(answer, MAX_BYTES);
  answer.destroy();
  throw new FetchError(`the server answered ${answer.statusCode}`);
}

function checkedUrl(uri: string): URL {
  const problem = jwksUriProblem(uri);
  if (problem !== undefined) throw new FetchError(`the URL ${problem}`);
  return new URL(uri);
}

function refusal({ host }: NoAddressError): string {
  const remedy = "the mesh's setting jwks.allowedAddresses can allow one";
  return `${host} has no address that keys may be fetched from; ${remedy}`;
}
