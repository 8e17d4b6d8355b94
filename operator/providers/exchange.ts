import type { BlockList } from 'node:net';
import type { SecureContext } from 'node:tls';
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
    if (error instanceof UnreadableAnswer) throw new QueryError('AnswerUnreadable', error.message);
    if (error instanceof NoAddressError) throw new QueryError('DestinationRefused', refusal(error));
    if (bounds.signal.aborted) throw new QueryError('TimedOut', 'there was no answer in time');
    throw new QueryError('NoConnection', connectionProblem(errorCode(error), 'metrics'));
  }
}

async function follow(first: ProviderRequest, bounds: ExchangeBounds): Promise<ProviderAnswer> {
  const { method = 'GET', body } = first;
  let { headers = {} } = first;
  let url = new URL(first.url);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const answer = await sendGuarded(url, { ...bounds, method, headers, body });
    const { statusCode: status = 0 } = answer;
    if (!(method === 'GET' ? REDIRECTS : KEEPING).has(status))
      return { status, text: await readText(answer, MAX_BYTES) };
    const next = locationOf(url, answer);
    if (next === undefined || !/^https?:$/.test(next.protocol)) {
      throw new QueryError('ServerRefused', `the server answered ${status} without saying where to`);
    }
    if (isDowngrade(url, next)) throw new QueryError('DestinationRefused', 'it leads from https to http');
    if (next.host !== url.host) headers = {};
    url = next;
  }
  throw new QueryError('DestinationRefused', `it leads elsewhere more than ${MAX_REDIRECTS} times`);
}

function refusal({ host }: NoAddressError): string {
  const remedy = "the mesh's setting metrics.allowedAddresses can allow one";
  return `${host} has no address that may be asked; ${remedy}`;
}
