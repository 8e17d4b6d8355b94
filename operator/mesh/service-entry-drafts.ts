import { SERVICE_ENTRY_KIND } from '../../api/service-entry.ts';
import type { DirtySet } from './dirty-set.ts';
import type { DraftContext, Drafts } from './drafts.ts';
import { namespaceOfHostname } from './hostname.ts';
import type { ServiceEntryFacts } from './service-entry.ts';
import { type DnsOwners, matchDnsOwners, matchHostOwner } from './service-entry-claim.ts';
import { buildEntryEndpoints } from './service-entry-endpoints.ts';
import { buildServiceEntryView } from './service-entry-view.ts';
import type { Hostname, MeshService } from './snapshot.ts';

/** Drafts the services of ServiceEntries, one for each host, with their endpoints, and the views of ServiceEntries. */
export function draftServiceEntries(context: DraftContext, dirty: DirtySet, drafts: Drafts): void {
  const { settings, tables } = context;
  const dnsOwners = matchDnsOwners(tables);
  for (const hostname of dirty.hostnames) {
    // Else the change was one of a ServiceEntry, whose rivals are of its own namespace and marked already.
    if (namespaceOfHostname(settings, hostname) === undefined) continue;
    for (const entry of tables.serviceEntries.select('host', hostname)) {
      dirty.serviceEntries.add(entry.key);
      dirty.entryHosts.add(`${entry.ref.namespace}/${hostname}`);
    }
  }
  for (const key of dirty.entryHosts) {
    const slash = key.indexOf('/');
    const hostname = key.slice(slash + 1);
    const owner = matchHostOwner(context, key.slice(0, slash), hostname);
    const entry = owner?.kind === 'ServiceEntry' ? owner.entry : undefined;
    drafts.services.put(key, entry && buildService(dnsOwners, entry, key, hostname));
    drafts.endpoints.put(key, entry && buildEntryEndpoints(context, entry, hostname));
  }
  for (const key of dirty.serviceEntries) {
    const entry = tables.serviceEntries.get(key);
    drafts.policies.put(
      `${SERVICE_ENTRY_KIND}/${key}`,
      entry && buildServiceEntryView({ settings, tables, dnsOwners }, entry),
    );
  }
}

function buildService(dnsOwners: DnsOwners, entry: ServiceEntryFacts, key: string, hostname: Hostname): MeshService {
  const { ref, createdAt, visibility, resolution, external, addresses, subjectAltNames, ports, selector } = entry;
  const dnsAddress = entry.dnsHosts.find((one) => one.hostname === hostname)?.address;
  const hasDnsAddress = dnsAddress !== undefined && dnsOwners(dnsAddress) === hostname;
  return {
    key,
    hostname,
    name: hostname,
    namespace: ref.namespace,
    kind: 'Entry',
    object: ref,
    createdAt,
    visibility,
    resolution,
    external,
    addresses,
    ...(hasDnsAddress ? { dnsAddress } : {}),
    subjectAltNames,
    ports,
    selector,
  };
}
