import type { Hostname, MeshSettings } from './snapshot.ts';

/**
 * Resolves a host as Istio's kinds name it: short names are Services of the object's namespace, everything else stands as it is (Istio reads
 * `a.b` as a full name too). In lower case, and without a final dot.
 * @param namespace namespace of the object that names the host
 */
export function resolveHostname(settings: MeshSettings, namespace: string, host: string): Hostname {
  const name = host.toLowerCase().replace(/\.$/, '');
  // An IPv6 address has colons and no dot.
  if (name === '*' || name === '' || name.includes('.') || name.includes(':')) return name;
  return `${name}.${namespace}.svc.${settings.clusterDomain}`;
}

/** The wildcards that cover a hostname, the most specific first and `*` last; they may begin within a label (`*-eu.shop.example`). */
export function* coveringWildcards(hostname: Hostname): Generator<Hostname> {
  const rest = hostname.startsWith('*') ? hostname.slice(1) : hostname;
  for (let start = 1; start <= rest.length; start++) yield `*${rest.slice(start)}`;
}
