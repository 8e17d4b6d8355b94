import { hasMoreValues } from '../../api/json-values.ts';

/** A request to a provider's API. */
export interface ProviderRequest {
  readonly url: string;
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface ProviderAnswer {
  readonly status: number;
  readonly text: string;
}

/** What a query is asked with. */
export interface QueryContext {
  /** URL of the API, without a slash at the end; '' when the template has none. */
  readonly address: string;
  /** What is in the template's Secret, as text; empty when it names none. */
  readonly secret: ReadonlyMap<string, string>;
  readonly region: string;
  /** ms that the metric is about, until now. */
  readonly intervalMs: number;
  /** ms since the epoch. */
  readonly now: number;
  /** Sends a request within bounds. @throws {QueryError} without an answer */
  readonly exchange: (request: ProviderRequest) => Promise<ProviderAnswer>;
}

/**
 * Asks a provider for one number.
 * @throws {QueryError} when the answer is not exactly that
 */
export type Provider = (query: string, context: QueryContext) => Promise<number>;

/** Why there is no value, in a word, as conditions have it. */
export type QueryReason =
  | 'TemplateMissing'
  | 'TemplateInvalid'
  | 'TemplateNotShared'
  | 'SecretUnreadable'
  | 'DestinationRefused'
  | 'NoConnection'
  | 'TimedOut'
  | 'ServerRefused'
  | 'AnswerUnreadable'
  | 'NoValue'
  | 'SeveralValues'
  | 'NotANumber';

/** Why there is no value; fit for a user's eyes: it has nothing of a Secret in it. */
export class QueryError extends Error {
  readonly reason: QueryReason;

  constructor(reason: QueryReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** How many intervals providers look back that gather their points late; as in Flagger. */
export const LOOK_BACK = 10;

/** Characters of a server's own words that are shown. */
const SAID = 200;

/** Most values of an answer, which is to be one number: what looking at them costs grows with these more than with bytes. */
const MAX_VALUES = 20_000;

/** One key of the template's Secret. @throws {QueryError} naming it when it is not there */
export function secretKey({ secret }: QueryContext, key: string): string {
  const value = secret.get(key);
  if (value === undefined || value === '')
    throw new QueryError('SecretUnreadable', `the Secret of provider.secretRef has no ${key}`);
  return value;
}

/** User and password, where the Secret has them. */
export function basicAuthorization({ secret }: QueryContext): Record<string, string> {
  const user = secret.get('username');
  const password = secret.get('password');
  if (user === undefined || password === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}

/** An answer's JSON. @throws {QueryError} when the server refuses, or answers something else, such as a page of HTML */
export function readJson({ status, text }: ProviderAnswer): unknown {
  if (status < 200 || status >= 300)
    throw new QueryError('ServerRefused', `the server answered ${status}${said(text)}`);
  if (hasMoreValues(Buffer.from(text), MAX_VALUES)) {
    throw new QueryError('SeveralValues', `the answer has more than ${MAX_VALUES} values; the query must come to one`);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new QueryError('AnswerUnreadable', `the answer is no JSON${said(text)}`);
  }
}

/** The one thing that a list must hold. @throws {QueryError} when there are none or several */
export function only<T>(list: readonly T[], what: string): T {
  const [first, ...others] = list;
  if (first === undefined) throw new QueryError('NoValue', `the answer has no ${what}`);
  if (others.length > 0) {
    throw new QueryError('SeveralValues', `the answer has ${list.length} ${what}; the query must come to one`);
  }
  return first;
}

/** A number that is one. @throws {QueryError} for NaN, infinities and what is no number */
export function finite(value: unknown): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number === 'number' && Number.isFinite(number)) return number;
  throw new QueryError('NotANumber', `the value is ${shown(value)}, which is no number to judge by`);
}

/** What stands in place of a number, as short as it should be. */
function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return JSON.stringify(typeof value === 'string' ? value.slice(0, SAID) : value) ?? 'absent';
}

/** Newest of the points that can be complete: the last of several is still being gathered. @param points oldest first */
export function newestComplete(points: readonly (readonly [time: number, value: unknown])[]): unknown {
  const known = points.filter(([, value]) => value !== null && value !== undefined);
  const point = known.length > 1 ? known.at(-2) : known[0];
  if (point === undefined) throw new QueryError('NoValue', 'the answer has no values');
  return point[1];
}

function said(text: string): string {
  const words = text
    // A tag ends before another begins: a million of them without an end would take a quarter of an hour.
    .replace(/<[^<>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return words === '' ? '' : `: ${words.slice(0, SAID)}`;
}
