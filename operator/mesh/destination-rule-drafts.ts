import { DESTINATION_RULE_KIND } from '../../api/destination-rule.ts';
import { buildDestinationRuleView } from './destination-rule-view.ts';
import type { DirtySet } from './dirty-set.ts';
import type { DraftContext, Drafts } from './drafts.ts';
import { HostBuckets } from './host-buckets.ts';
import { isWildcard } from './hostname.ts';
import type { MeshTables } from './tables.ts';

/** Drafts destination policies, and the views of DestinationRules. */
export function draftDestinationRules(context: DraftContext, dirty: DirtySet, drafts: Drafts): void {
  const { tables } = context;
  // Whether there is a service at their host, and an endpoint in each subset, is in their views.
  for (const key of [...drafts.services.changed, ...drafts.endpoints.changed]) {
    const hostname = key.slice(key.indexOf('/') + 1);
    for (const rule of tables.destinationRules.find('host', hostname)) dirty.destinationRules.add(rule);
  }
  markWildcards(tables, dirty);
  for (const key of dirty.destinationRules) {
    const name = `${DESTINATION_RULE_KIND}/${key}`;
    const facts = tables.destinationRules.get(key);
    drafts.destinationPolicies.put(name, facts?.policy);
    drafts.policies.put(name, facts && buildDestinationRuleView(context, drafts, facts));
  }
}

/** Hostnames that routes lead to and that a changed host with a wildcard covers. One pass, however many such hosts changed. */
function markWildcards(tables: MeshTables, { hostnames }: DirtySet): void {
  const changed = new HostBuckets<true>();
  for (const hostname of hostnames) if (isWildcard(hostname)) changed.set(hostname, true);
  if (changed.isEmpty) return;
  for (const { destinations } of tables.virtualServices.values()) {
    for (const hostname of destinations) {
      if (!changed.covering(hostname).next().done) hostnames.add(hostname);
    }
  }
}
