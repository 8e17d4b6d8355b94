import type { HttpMatch, HttpRule, RouteRule, SourceMatch, TcpRule, TlsRule } from '../mesh/route-rule.ts';
import { matchSelector } from '../mesh/selector.ts';
import type { ScopeTraits } from './scope.ts';

/**
 * The HTTP rules of several objects for one host as one list: those of the older first, but what matches everything comes last, and of that only
 * the first counts.
 * @param rules the oldest first
 */
export function mergeHttpRules(rules: readonly RouteRule[]): readonly HttpRule[] {
  const [only] = rules;
  if (only === undefined) return [];
  if (rules.length === 1) return only.http;
  const all = rules.flatMap(({ http }) => http);
  const isCatchAll = ({ matches }: HttpRule): boolean => matches.length === 0;
  return [...all.filter((rule) => !isCatchAll(rule)), ...all.filter(isCatchAll).slice(0, 1)];
}

/** The HTTP rules that can match requests of some clients on a port, each with those of its matches that can. */
export function cutHttpRules(rules: readonly HttpRule[], port: number, client: ScopeTraits): HttpRule[] {
  return rules.flatMap((rule) => cut(rule, port, client));
}

/** The same for opaque connections. */
export function cutTcpRules(rules: readonly TcpRule[], port: number, client: ScopeTraits): TcpRule[] {
  return rules.flatMap((rule) => cut(rule, port, client));
}

/** The same for TLS connections that pass through. */
export function cutTlsRules(rules: readonly TlsRule[], port: number, client: ScopeTraits): TlsRule[] {
  return rules.flatMap((rule) => cut(rule, port, client));
}

type Match = Pick<HttpMatch, 'port' | 'source'>;

function cut<One extends Match, Rule extends { readonly matches: readonly One[] }>(
  rule: Rule,
  port: number,
  client: ScopeTraits,
): Rule[] {
  if (rule.matches.length === 0) return [rule];
  const matches = rule.matches.filter(
    (match) => (match.port === undefined || match.port === port) && isSource(match.source, client),
  );
  if (matches.length === rule.matches.length) return [rule];
  return matches.length === 0 ? [] : [{ ...rule, matches }];
}

/** Whether a source condition holds for the clients; labels and namespaces that are asked for make a difference, so the traits have them. */
export function isSource(source: SourceMatch | undefined, { audience, labels }: ScopeTraits): boolean {
  if (source === undefined) return true;
  if (source.namespace !== undefined && source.namespace !== audience) return false;
  return Object.keys(source.labels).length === 0 || matchSelector(source.labels, labels);
}
