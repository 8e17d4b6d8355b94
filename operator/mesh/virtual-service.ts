import { VIRTUAL_SERVICE_KIND } from '../../api/virtual-service.ts';
import type { DirtySet } from './dirty-set.ts';
import type { DraftContext, Drafts } from './drafts.ts';
import { sameValue } from './equality.ts';
import { coversHostname, isWildcard } from './hostname.ts';
import type { IngestionTarget } from './ingestion.ts';
import { objectKey } from './object-ref.ts';
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
  for (const { key, hosts } of tables.virtualServices.select('delegate', facts.key)) {
    dirty.virtualServices.add(key);
    for (const host of hosts) dirty.routedHosts.add(host);
  }
}

/** Drafts routes, and the views of VirtualServices. */
export function draftVirtualServices(context: DraftContext, dirty: DirtySet, drafts: Drafts): void {
  const { tables } = context;
  const routes = new RouteBuilder(tables);
  const conflicts = new ConflictFinder(tables, routes);
  markReferring(tables, dirty);
  markRivals(tables, dirty, drafts, conflicts);
  for (const key of dirty.virtualServices) {
    const facts = tables.virtualServices.get(key);
    const name = `${VIRTUAL_SERVICE_KIND}/${key}`;
    drafts.routeRules.put(name, facts && routes.build(facts)?.rule);
    drafts.policies.put(name, facts && buildVirtualServiceView(context, facts, routes, conflicts));
  }
}

/** Those that refer to services that came, changed or went. */
function markReferring({ virtualServices }: MeshTables, dirty: DirtySet): void {
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

/** Those that share a host with what changed, if that makes a difference to them: there may be thousands. */
function markRivals(
  { virtualServices }: MeshTables,
  dirty: DirtySet,
  { policies }: Drafts,
  conflicts: ConflictFinder,
): void {
  for (const host of dirty.routedHosts) {
    for (const facts of virtualServices.select('host', host)) {
      if (dirty.virtualServices.has(facts.key)) continue;
      // Without a view it is not ours to judge, and its routes do not depend on others.
      const view = policies.get(objectKey(facts.ref));
      if (view === undefined) continue;
      const known = view.problems.filter(({ condition }) => condition === 'Conflicted');
      if (!sameValue(known, conflicts.find(facts))) dirty.virtualServices.add(facts.key);
    }
  }
}
