import { byAge } from './mesh-object.ts';
import { hostnameOf } from './service.ts';
import type { ServiceEntryFacts } from './service-entry.ts';
import type { Hostname, MeshSettings } from './snapshot.ts';
import type { MeshTables } from './tables.ts';

/** Who has a hostname in a namespace. */
export type HostOwner =
  | { readonly kind: 'Service'; readonly key: string }
  | { readonly kind: 'ServiceEntry'; readonly entry: ServiceEntryFacts };

interface ClaimContext {
  readonly settings: MeshSettings;
  readonly tables: MeshTables;
}

/**
 * Decides over a hostname in one namespace: a Kubernetes Service of that name has it everywhere, else the oldest ServiceEntry of
 * the namespace.
 */
export function matchHostOwner(context: ClaimContext, namespace: string, hostname: Hostname): HostOwner | undefined {
  const service = matchService(context, hostname);
  if (service !== undefined) return { kind: 'Service', key: service };
  const claims = [...context.tables.serviceEntries.select('host', hostname)];
  const [entry] = claims.filter(({ ref }) => ref.namespace === namespace).sort(byAge);
  return entry && { kind: 'ServiceEntry', entry };
}

/** The hostname that has an address of DNS capture: should two want the same one, that of the older ServiceEntry. */
export function matchDnsOwner(tables: MeshTables, address: string): Hostname | undefined {
  const [oldest] = [...tables.serviceEntries.select('dnsAddress', address)].sort(byAge);
  return oldest?.dnsHosts.find((one) => one.address === address)?.hostname;
}

/** `namespace/name` of the Kubernetes Service that has a hostname. */
function matchService({ settings, tables }: ClaimContext, hostname: Hostname): string | undefined {
  const [name, namespace] = hostname.split('.', 2);
  const key = `${namespace}/${name}`;
  return hostnameOf(settings, key) === hostname && tables.services.get(key) !== undefined ? key : undefined;
}
