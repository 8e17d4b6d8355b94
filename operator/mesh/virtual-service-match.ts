import type { HttpMatch as HttpMatchSpec } from '../../api/http-match.ts';
import type { StringMatch as StringMatchSpec } from '../../api/string-match.ts';
import { isForSidecars } from '../../api/virtual-service-hosts.ts';
import type { TcpMatch as TcpMatchSpec, TlsMatch as TlsMatchSpec } from '../../api/virtual-service-l4.ts';
import type { HttpMatch, NamedMatch, SourceMatch, StringMatch, TcpMatch, TlsMatch } from './route-rule.ts';

interface GatewayMatch {
  readonly gateways?: readonly string[] | undefined;
}

/**
 * Reads the matches of one rule that are for sidecars; those that name only gateways are left out.
 * @param read reads one match
 * @returns undefined when the rule has matches and none is for sidecars; an empty list when it has none and takes everything
 */
export function readMatches<Spec extends GatewayMatch, Match>(
  matches: readonly Spec[] = [],
  read: (match: Spec) => Match,
): Match[] | undefined {
  const kept = matches.filter(({ gateways }) => isForSidecars(gateways));
  return matches.length > 0 && kept.length === 0 ? undefined : kept.map(read);
}

/** Reads a match of an HTTP rule (HTTPMatchRequest). */
export function readHttpMatch(spec: HttpMatchSpec): HttpMatch {
  return {
    ...readStrings(spec),
    ignoreUriCase: spec.ignoreUriCase ?? false,
    headers: readNamed(spec.headers, true),
    withoutHeaders: readNamed(spec.withoutHeaders, true),
    queryParams: readNamed(spec.queryParams, false),
    ...readPort(spec.port),
    ...readSource(spec),
  };
}

/** Reads a match of a TCP rule (L4MatchAttributes). `sourceSubnet` has no effect, as in Istio. */
export function readTcpMatch(spec: TcpMatchSpec): TcpMatch {
  return { ...readPort(spec.port), subnets: spec.destinationSubnets ?? [], ...readSource(spec) };
}

/** Reads a match of a TLS rule (TLSMatchAttributes). */
export function readTlsMatch(spec: TlsMatchSpec): TlsMatch {
  const sniHosts = (spec.sniHosts ?? []).map((host) => host.toLowerCase().replace(/\.$/, ''));
  return { ...readTcpMatch(spec), sniHosts };
}

function readStrings(spec: HttpMatchSpec): Pick<HttpMatch, 'uri' | 'scheme' | 'method' | 'authority'> {
  const uri = readString(spec.uri);
  const scheme = readString(spec.scheme);
  const method = readString(spec.method);
  const authority = readString(spec.authority);
  return { ...(uri && { uri }), ...(scheme && { scheme }), ...(method && { method }), ...(authority && { authority }) };
}

/** Reads a StringMatch; undefined when it says nothing about the value. */
export function readString(match: StringMatchSpec | undefined): StringMatch | undefined {
  if (match?.exact !== undefined) return { kind: 'exact', value: match.exact };
  if (match?.prefix !== undefined) return { kind: 'prefix', value: match.prefix };
  if (match?.regex !== undefined) return { kind: 'regex', value: match.regex };
  return undefined;
}

function readNamed(matches: Readonly<Record<string, StringMatchSpec>> = {}, isHeader: boolean): NamedMatch[] {
  return Object.entries(matches).map(([name, match]) => {
    const value = readString(match);
    return { name: isHeader ? name.toLowerCase() : name, ...(value && { value }) };
  });
}

function readPort(port: number | undefined): { readonly port?: number } {
  return port === undefined || port === 0 ? {} : { port };
}

function readSource({
  sourceLabels = {},
  sourceNamespace = '',
}: Pick<TcpMatchSpec, 'sourceLabels' | 'sourceNamespace'>): { readonly source?: SourceMatch } {
  if (Object.keys(sourceLabels).length === 0 && sourceNamespace === '') return {};
  return { source: { labels: sourceLabels, ...(sourceNamespace === '' ? {} : { namespace: sourceNamespace }) } };
}
