import type { HttpMatch, NamedMatch, StringMatch } from '../../operator/mesh/route-rule.ts';
import { valueMatch } from '../../operator/xds/string-matchers.ts';
import { redactHeader, redactParameter, redactPath } from '../tap/redact.ts';
import { barePath, cookieOf, type HttpRequest, headerValues, queryOf } from './request.ts';
import { matchesText, textInWords } from './text-match.ts';

/**
 * Why a request is not one that a match is for; undefined: it is one. Port and source of the match are taken to hold: they are of the client and not of
 * the request (`cutHttpRules`).
 * @param request with its path normalised
 */
export function mismatchOf(match: HttpMatch, request: HttpRequest): string | undefined {
  const { uri, ignoreUriCase, scheme, method, authority, headers, withoutHeaders, queryParams, cookies = [] } = match;
  const path = barePath(request.path);
  const query = queryOf(request.path);
  return (
    (uri && differs('path', path, uri, redactPath, ignoreUriCase)) ??
    (method && differs('method', request.method, method, asItIs)) ??
    (authority && differs('authority', request.authority, authority, asItIs)) ??
    (scheme && differs('scheme', request.scheme, scheme, asItIs)) ??
    first(headers, (one) => differsEach(headerValues(request, one.name), one)) ??
    first(withoutHeaders, (one) => hasUnwanted(headerValues(request, one.name), one)) ??
    first(queryParams, (one) => {
      const value = query.find(([name]) => name === one.name)?.[1];
      return differsNamed(`parameter ${one.name}`, value, one, (text) => redactParameter(one.name, text));
    }) ??
    first(cookies, (one) =>
      differsNamed(`cookie ${one.name}`, cookieOf(request, one.name), one, (text) => redactHeader('cookie', text)),
    )
  );
}

function first<T>(items: readonly T[], judge: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = judge(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A value as it may be shown. */
type Shown = (value: string) => string;
const asItIs: Shown = (value) => value;

function differs(
  what: string,
  value: string,
  match: StringMatch,
  shown: Shown,
  ignoreCase = false,
): string | undefined {
  if (matchesText(match, value, ignoreCase)) return undefined;
  return `${what} is ${JSON.stringify(shown(value))}, and not one that ${textInWords(match)}`;
}

function differsNamed(what: string, value: string | undefined, named: NamedMatch, shown: Shown): string | undefined {
  if (value === undefined) return `there is no ${what}`;
  const match = valueMatch(named);
  return match && differs(what, value, match, shown);
}

/** Of several headers of one name one is enough: routes look at each by itself (Envoy 1.39 and later). */
function differsEach(values: readonly string[], named: NamedMatch): string | undefined {
  const shown = (value: string) => redactHeader(named.name, value);
  const found = (values.length === 0 ? [undefined] : values).map((value) =>
    differsNamed(`header ${named.name}`, value, named, shown),
  );
  return found.includes(undefined) ? undefined : found.join(', ');
}

/** A header that must not be there counts as empty where it is missing, when its value is asked for (Envoy's `treat_missing_header_as_empty`). */
function hasUnwanted(values: readonly string[], named: NamedMatch): string | undefined {
  const match = valueMatch(named);
  const own = match !== undefined && values.length === 0 ? [''] : values;
  const found = own.find((value) => match === undefined || matchesText(match, value));
  if (found === undefined) return undefined;
  return `header ${named.name} is ${JSON.stringify(redactHeader(named.name, found))}, which it must not be`;
}
