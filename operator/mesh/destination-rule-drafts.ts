import { DESTINATION_RULE_KIND } from '../../api/destination-rule.ts';
import { buildDestinationRuleView } from './destination-rule-view.ts';
import type { DirtySet } from './dirty-set.ts';
import type { DraftContext, Drafts } from './drafts.ts';
import { hostnameOfKey } from './hostname.ts';

/** Drafts destination policies, and the views of DestinationRules. */
export function draftDestinationRules(context: DraftContext, dirty: DirtySet, drafts: Drafts): void {
  const { tables } = context;
  // Whether there is a service at their host, and an endpoint in each subset, is in their views.
  for (const key of [...drafts.services.changed, ...drafts.endpoints.changed]) {
    for (const rule of tables.destinationRules.find('host', hostnameOfKey(key))) dirty.destinationRules.add(rule);
  }
  for (const key of dirty.destinationRules) {
    const name = `${DESTINATION_RULE_KIND}/${key}`;
    const facts = tables.destinationRules.get(key);
    drafts.destinationPolicies.put(name, facts?.policy);
    drafts.policies.put(name, facts && buildDestinationRuleView(context, drafts, facts));
  }
}
