import { Set as PersistentSet } from 'immutable';
import type { DestinationPolicy, SubsetPolicy } from './destination-policy.ts';
import type { DestinationRuleFacts } from './destination-rule.ts';
import type { DraftContext, Drafts } from './drafts.ts';
import { sameValue } from './equality.ts';
import { isWildcard, namespaceOfHostname } from './hostname.ts';
import { byAge } from './mesh-object.ts';
import { listNames } from './name-list.ts';
import { isJudged } from './policy-view.ts';
import { matchSelector } from './selector.ts';
import type { Endpoint, Hostname, MeshSettings, PolicyReach, PolicyView, Problem } from './snapshot.ts';
import type { MeshTables } from './tables.ts';

/** Pairs of a subset and an endpoint that are looked at for one view; of rules with more nothing is said of empty subsets. */
const MAX_PAIRS = 200_000;
/** More names would not be read. */
const MAX_NAMES = 10;

/**
 * A DestinationRule as its user should see it.
 * @param drafts its services and endpoints are those of the next snapshot already
 * @returns undefined when it is in a namespace that is not ours to judge
 */
export function buildDestinationRuleView(
  context: DraftContext,
  drafts: Drafts,
  rule: DestinationRuleFacts,
): PolicyView | undefined {
  const { ref: object, generation, policy, problems, notes } = rule;
  if (!isJudged(context, object.namespace)) return undefined;
  const selected = 0;
  if (policy === undefined) {
    const reach: PolicyReach = { kind: 'workloads', workloads: PersistentSet() };
    return { object, generation, reach, selected, problems, notes };
  }
  return {
    object,
    generation,
    reach: reachOf(context.settings, policy),
    selected,
    problems: [...problems, ...findConflicts(context.tables, rule, policy)],
    notes: [...notes, ...noteReferences(context.tables, drafts, policy)],
  };
}

/** Other namespaces look at the rules of the service's namespace and of the root namespace only. */
function reachOf(settings: MeshSettings, { object, host, visibility, clients }: DestinationPolicy): PolicyReach {
  const owner = namespaceOfHostname(settings, host);
  const isForeign = owner !== undefined && owner !== object.namespace && object.namespace !== settings.rootNamespace;
  return { kind: 'clients', visibility: isForeign ? [object.namespace] : visibility, labels: clients };
}

/** What older rules of the namespace for the same host and the same clients say already. */
function findConflicts(tables: MeshTables, { key, ref }: DestinationRuleFacts, policy: DestinationPolicy): Problem[] {
  const older = [...tables.destinationRules.select('host', policy.host)]
    .filter((other) => other.ref.namespace === ref.namespace && sameValue(other.clients, policy.clients))
    .sort(byAge);
  older.splice(older.findIndex((other) => other.key === key));
  const lost = new Map<string, string[]>();
  const lose = (field: string, has: (other: DestinationPolicy) => boolean): void => {
    const winner = older.find((other) => other.policy !== undefined && has(other.policy));
    if (winner !== undefined) lost.set(winner.key, [...(lost.get(winner.key) ?? []), field]);
  };
  if (policy.policy !== undefined) lose('spec.trafficPolicy', (other) => other.policy !== undefined);
  for (const [index, { name }] of policy.subsets.entries()) {
    lose(`spec.subsets[${index}] ("${name}")`, ({ subsets }) => subsets.some((subset) => subset.name === name));
  }
  return [...lost].map(([winner, fields]) => ({
    object: ref,
    condition: 'Conflicted',
    reason: 'OlderDestinationRule',
    message:
      `${listNames(fields, MAX_NAMES)}: DestinationRule ${winner} is older and sets the same for the host ${policy.host}; what it says is in force. ` +
      'Write all of it in one rule.',
  }));
}

function noteReferences(tables: MeshTables, drafts: Drafts, { host, subsets }: DestinationPolicy): string[] {
  if (isWildcard(host)) return [];
  const keys = [host, ...[...tables.serviceEntries.select('host', host)].map(({ ref }) => `${ref.namespace}/${host}`)];
  if (!keys.some((key) => drafts.services.get(key) !== undefined)) {
    return [`spec.host: no service has the host ${host} at present.`];
  }
  const endpoints = keys.flatMap((key) => drafts.endpoints.get(key) ?? []);
  if (endpoints.length * subsets.length > MAX_PAIRS) return [];
  const empty = subsets.filter((subset) => !endpoints.some((endpoint) => isIn(subset, endpoint)));
  return empty.length === 0
    ? []
    : [
        noteEmpty(
          host,
          empty.map(({ name }) => `"${name}"`),
        ),
      ];
}

function noteEmpty(host: Hostname, names: readonly string[]): string {
  return (
    `spec.subsets: no endpoint of ${host} has the labels of ${listNames(names, MAX_NAMES)} at present; ` +
    'requests for such a subset are answered with 503.'
  );
}

function isIn({ labels }: SubsetPolicy, endpoint: Endpoint): boolean {
  return Object.keys(labels).length === 0 || matchSelector(labels, endpoint.labels);
}
