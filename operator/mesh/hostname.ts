import type { Hostname, MeshSettings, ServiceKey } from './snapshot.ts';

/**
 * Name of a host as the mesh knows it: in lower case, without a dot at the end; a name without any dot is a Service of the namespace.
 * @param host as the user wrote it; exact, `*.` in front, or `*`
 */
export function resolveHostname(settings: MeshSettings, namespace: string, host: string): Hostname {
  const name = host.toLowerCase().replace(/\.$/, '');
  // An IPv6 address has colons and no dot.
  if (name === '' || name.startsWith('*') || name.includes('.') || name.includes(':')) return name;
  return `${name}.${namespace}.svc.${settings.clusterDomain}`;
}

/** Whether a host stands for many: `*`, or with `*` in front. */
export function isWildcard(host: Hostname): boolean {
  return host.startsWith('*');
}

/** Whether a host, perhaps with a wildcard, covers a hostname. A hostname with a wildcard is covered where all that it stands for is. */
export function coversHostname(host: Hostname, hostname: Hostname): boolean {
  if (!isWildcard(host)) return host === hostname;
  return hostname.length >= host.length - 1 && hostname.endsWith(host.slice(1));
}

/** A hostname and the wildcards that cover it, the most specific first and `*` last; to look each up, where there may be many hosts. */
export function* coveringHosts(hostname: Hostname): Generator<Hostname> {
  yield hostname;
  const rest = isWildcard(hostname) ? hostname.slice(1) : hostname;
  for (let start = 1; start <= rest.length; start++) yield `*${rest.slice(start)}`;
}

/** The hostname in the key of a service, which has its namespace in front. */
export function hostnameOfKey(key: ServiceKey): Hostname {
  return key.slice(key.indexOf('/') + 1);
}

/** Namespace of a Kubernetes Service, by its hostname. */
export function namespaceOfHostname(settings: MeshSettings, hostname: Hostname): string | undefined {
  const suffix = `.svc.${settings.clusterDomain}`;
  if (!hostname.endsWith(suffix)) return undefined;
  const [name = '', namespace, ...more] = hostname.slice(0, -suffix.length).split('.');
  return name === '' || isWildcard(name) || more.length > 0 ? undefined : namespace;
}
