import { RE2JS } from 're2js';
import type { HeaderRules, HttpMatch, HttpRule, WeightedBackend } from '../../operator/mesh/route-rule.ts';
import { requestedHost } from '../../operator/xds/header-operations.ts';
import type { HttpRequest } from './request.ts';

/**
 * A request as the client's sidecar sends it on: path, host and headers are what the route makes of them.
 * @param match by which the request came to the rule; undefined: the rule is for all
 * @param isLone it is the rule's only backend
 */
export function sentRequest(
  request: HttpRequest,
  rule: HttpRule,
  match: HttpMatch | undefined,
  backend: WeightedBackend,
  isLone: boolean,
): HttpRequest {
  const own = backend.headers;
  const host = rule.rewrite?.authority || requestedHost(rule.headers) || requestedHost(own);
  const lists = isLone ? [rule.headers, own] : [own, rule.headers];
  const headers = lists.reduce(applyHeaders, request.headers);
  const path = rewrittenPath(request.path, rule, match);
  return { ...request, path, headers, authority: host || request.authority };
}

function rewrittenPath(path: string, { rewrite }: HttpRule, match: HttpMatch | undefined): string {
  const end = path.search(/[?#]/);
  const [own, query] = end < 0 ? [path, ''] : [path.slice(0, end), path.slice(end)];
  if (rewrite?.uriRegex !== undefined) {
    const { match: expression, rewrite: text } = rewrite.uriRegex;
    return RE2JS.compile(expression).matcher(own).replaceAll(substitution(text)) + query;
  }
  if (rewrite?.uri === undefined) return path;
  const uri = match?.uri;
  if (uri !== undefined && uri.kind !== 'prefix') return rewrite.uri + query;
  return rewrite.uri + own.slice(uri?.value.length ?? 1) + query;
}

/** RE2 writes groups as `\1`, and the library as `$1`. */
function substitution(text: string): string {
  return text.replaceAll(/\\(\d|\\)|\$/g, (one, group) => {
    if (one === '$') return '\\$';
    return group === '\\' ? '\\\\' : `$${group}`;
  });
}

type Headers = HttpRequest['headers'];

/** Removed first, then set, then added to. What commands of Envoy's (`%REQ(x)%`) come to stays as it is written. */
function applyHeaders(headers: Headers, rules: HeaderRules | undefined): Headers {
  if (rules === undefined) return headers;
  const { set, add, remove } = rules.request;
  const without = (list: Headers, name: string) => list.filter(([own]) => own.toLowerCase() !== name.toLowerCase());
  const isHeader = ([name]: readonly [string, string]) => !/^(:.*|host)$/i.test(name);
  const kept = remove.reduce(without, headers);
  const replaced = set
    .filter(isHeader)
    .reduce<Headers>((list, [name, value]) => [...without(list, name), [name, literal(value)]], kept);
  return [...replaced, ...add.filter(isHeader).map(([name, value]) => [name, literal(value)] as const)];
}

function literal(value: string): string {
  return value.replaceAll('%%', '%');
}
