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
  const [entry] = [...context.tables.serviceEntries.select('claim', `${namespace}/${hostname}`)].sort(byAge);
  return entry && { kind: 'ServiceEntry', entry };
}

/** Tells who has an address of DNS capture. */
export type DnsOwners = (address: string) => Hostname | undefined;

/**
 * Whose the addresses of DNS capture are: should two hostnames want the same one, that of the older ServiceEntry. Each address is
 * looked at once, since every namespace may have the same host; so what this gives is good until the tables change.
 */
export function matchDnsOwners({ serviceEntries }: MeshTables): DnsOwners {
  const known = new Map<string, Hostname | undefined>();
  return (address) => {
    if (!known.has(address)) {
      const [oldest] = [...serviceEntries.select('dnsAddress', address)].sort(byAge);
      known.set(address, oldest?.dnsHosts.find((one) => one.address === address)?.hostname);
    }
    return known.get(address);
  };
}

/** `namespace/name` of the Kubernetes Service that has a hostname. */
function matchService({ settings, tables }: ClaimContext, hostname: Hostname): string | undefined {
  const [name, namespace] = hostname.split('.', 2);
  const key = `${namespace}/${name}`;
  return hostnameOf(settings, key) === hostname && tables.services.get(key) !== undefined ? key : undefined;
}
