import { VIRTUAL_SERVICE_KIND } from '../../api/virtual-service.ts';
import type { DirtySet } from './dirty-set.ts';
import type { DraftContext, Drafts } from './drafts.ts';
import { coversHostname, isWildcard } from './hostname.ts';
import type { IngestionTarget } from './ingestion.ts';
import type { MeshTables } from './tables.ts';
import { ConflictFinder } from './virtual-service-conflicts.ts';
import { readVirtualService, type VirtualServiceFacts } from './virtual-service-facts.ts';
import { RouteBuilder } from './virtual-service-routes.ts';
import { buildVirtualServiceView } from './virtual-service-view.ts';

export { readVirtualService, type VirtualServiceFacts };

/** Itself, those that delegate to it, those it delegates to, and, through their hosts, those it may be in conflict with. */
export function markVirtualService({ tables, dirty }: IngestionTarget, facts: VirtualServiceFacts): void {
  dirty.virtualServices.add(facts.key);
  for (const host of facts.hosts) dirty.routedHosts.add(host);
  for (const key of facts.delegates) dirty.virtualServices.add(key);
  // Who delegates has hosts, and through these is marked itself.
  for (const { hosts } of tables.virtualServices.select('delegate', facts.key)) {
    for (const host of hosts) dirty.routedHosts.add(host);
  }
}

/** Drafts routes, and the views of VirtualServices. */
export function draftVirtualServices(context: DraftContext, dirty: DirtySet, drafts: Drafts): void {
  const { tables } = context;
  markRelated(tables, dirty);
  const routes = new RouteBuilder(tables);
  const conflicts = new ConflictFinder(tables, routes);
  for (const key of dirty.virtualServices) {
    const facts = tables.virtualServices.get(key);
    const name = `${VIRTUAL_SERVICE_KIND}/${key}`;
    drafts.routeRules.put(name, facts && routes.build(facts)?.rule);
    drafts.policies.put(name, facts && buildVirtualServiceView(context, facts, routes, conflicts));
  }
}

/** Those that share a host with what changed, and those that refer to services that came, changed or went. */
function markRelated({ virtualServices }: MeshTables, dirty: DirtySet): void {
  for (const host of dirty.routedHosts) {
    for (const key of virtualServices.find('host', host)) dirty.virtualServices.add(key);
  }
  for (const hostname of dirty.hostnames) {
    for (const key of virtualServices.find('destination', hostname)) dirty.virtualServices.add(key);
  }
  const wildcards = [...dirty.hostnames].filter(isWildcard);
  if (wildcards.length === 0) return;
  for (const { key, destinations } of virtualServices.values()) {
    if (dirty.virtualServices.has(key)) continue;
    const touched = destinations.some((hostname) => wildcards.some((host) => coversHostname(host, hostname)));
    if (touched) dirty.virtualServices.add(key);
  }
}
