import { inRange, readRange } from '../../operator/xds/address-range.ts';
import type { CallFacts } from './call-facts.ts';
import { headerOf } from './request.ts';

/** How rules are read: in which namespace, and whether what they match is stopped. */
export interface RuleReading {
  /** Of the policy, in which names of ServiceAccounts are meant. */
  readonly namespace: string;
  /** They deny, or ask: of what nobody can tell they take that it matches. */
  readonly stops: boolean;
}

/** Whether a call has a value. */
export type Judge = (value: string) => boolean;

/** One of `values`, where there are any, and none of `others`. */
export function fieldMismatch(
  what: string,
  own: string | undefined,
  values: readonly string[] | undefined,
  others: readonly string[] | undefined,
  matches: Judge,
  matchesOther: Judge = matches,
): string | undefined {
  const said = own === undefined ? `there is no ${what}` : `${what} is ${own}`;
  if (values !== undefined && values.length > 0 && !values.some(matches))
    return `${said}, wanted ${values.join(' or ')}`;
  const hit = others?.find(matchesOther);
  return hit === undefined ? undefined : `${said}, which ${hit} excludes`;
}

/** Whether an address is in a block of a policy. */
export function inBlock(address: string): Judge {
  return (block) => {
    const range = readRange(block);
    return range !== undefined && inRange(address, range);
  };
}

/** The client's address, as the last proxy before us told it. */
export function remoteAddress({ request, sourceIp }: CallFacts): string {
  const told = request && headerOf(request, 'x-forwarded-for');
  const last = told?.split(',').at(-1)?.trim() ?? '';
  return readRange(last) === undefined || last.includes('/') ? sourceIp : last;
}
