import type { CanaryMatch } from '../../api/canary-match.ts';
import type { CanaryStatus } from '../../api/canary-status.ts';
import { type SessionAffinity, setCookie } from '../../api/session-affinity.ts';
import type { Stickiness } from '../../api/stickiness.ts';
import { readTrafficTerms, termsKey } from '../../api/traffic-terms.ts';
import type { HttpMatch } from './route-rule.ts';
import type { SideCookie, SplitTerms } from './split-terms.ts';
import { readHttpMatch, readString } from './virtual-service-match.ts';

/**
 * What is in force of a Canary's terms by what its controller wrote: matches while `matched`, copies by `mirrorWeight`, cookies and hashes while
 * there is a weight. So a failed revision, whose status says none of these, gets nothing, whoever asks with its cookie.
 * @param next not the stable revision; it names the cookies, so that those of another release mean nothing
 * @returns undefined when the weight is all there is
 */
export function readSplitTerms(
  analysis: unknown,
  status: CanaryStatus | undefined,
  stable: string,
  next: string,
): SplitTerms | undefined {
  const { weight = 0, matched = false, mirrorWeight: mirror = 0 } = status ?? {};
  if (weight <= 0 && !matched && mirror <= 0) return undefined;
  const terms = readTrafficTerms(analysis);
  if (terms === undefined) return undefined;
  const { match = [], sessionAffinity, stickiness } = terms;
  const cookies = weight > 0 && sessionAffinity !== undefined ? sideCookies(sessionAffinity, stable, next) : {};
  const hash = weight > 0 && stickiness !== undefined ? { stickiness: splitHash(stickiness) } : {};
  const matches = matched ? match.map(readCanaryMatch) : [];
  if (matches.length === 0 && mirror <= 0 && Object.keys({ ...cookies, ...hash }).length === 0) return undefined;
  return { matches, mirror: Math.min(100, Math.max(0, mirror)), ...cookies, ...hash, key: termsKey(terms) };
}

function sideCookies(
  affinity: SessionAffinity,
  stable: string,
  next: string,
): Pick<SplitTerms, 'nextCookie' | 'stableCookie'> {
  const cookie = (name: string, value: string): SideCookie => ({
    name,
    value,
    header: setCookie(name, value, affinity),
  });
  const { cookieName, primaryCookieName } = affinity;
  return {
    nextCookie: cookie(cookieName, next),
    ...(primaryCookieName === undefined ? {} : { stableCookie: cookie(primaryCookieName, `${stable}.${next}`) }),
  };
}

function splitHash({ header, cookie, principal }: Stickiness): NonNullable<SplitTerms['stickiness']> {
  if (principal === true) return { kind: 'principal' };
  if (header !== undefined) return { kind: 'header', name: header.toLowerCase() };
  return cookie === undefined ? { kind: 'source-ip' } : { kind: 'cookie', name: cookie };
}

function readCanaryMatch({ cookies = {}, ...match }: CanaryMatch): HttpMatch {
  const named = Object.entries(cookies).map(([name, value]) => {
    const wanted = readString(value);
    return { name, ...(wanted && { value: wanted }) };
  });
  return { ...readHttpMatch(match), ...(named.length === 0 ? {} : { cookies: named }) };
}
