import { isJudged } from './policy-view.ts';
import type { ServiceEntryFacts } from './service-entry.ts';
import { type DnsOwners, matchHostOwner } from './service-entry-claim.ts';
import type { MeshSettings, PolicyView, Problem } from './snapshot.ts';
import type { MeshTables } from './tables.ts';

interface ViewContext {
  readonly settings: MeshSettings;
  readonly tables: MeshTables;
  readonly dnsOwners: DnsOwners;
}

/**
 * A ServiceEntry as its user should see it.
 * @returns undefined when it is in a namespace that is not ours to judge
 */
export function buildServiceEntryView(context: ViewContext, entry: ServiceEntryFacts): PolicyView | undefined {
  if (!isJudged(context, entry.ref.namespace)) return undefined;
  return {
    object: entry.ref,
    generation: entry.generation,
    reach: { kind: 'clients', visibility: entry.visibility, labels: {} },
    selected: 0,
    problems: [...entry.problems, ...findConflicts(context, entry)],
    notes: [...entry.notes, ...noteDnsCollisions(context, entry), ...noteSelection(context, entry)],
  };
}

function findConflicts(context: ViewContext, { key, ref, hosts }: ServiceEntryFacts): Problem[] {
  const problems: Problem[] = [];
  for (const host of hosts) {
    const owner = matchHostOwner(context, ref.namespace, host);
    if (owner?.kind === 'Service') {
      const message =
        `spec.hosts: "${host}" is the name of the Kubernetes Service ${owner.key}, which has it everywhere; this ServiceEntry is ` +
        'ignored for it. Remove the host, or take a name of its own.';
      problems.push({ object: ref, condition: 'Conflicted', reason: 'KubernetesService', message });
    } else if (owner !== undefined && owner.entry.key !== key) {
      const message =
        `spec.hosts: ServiceEntry ${owner.entry.key} is older and has "${host}" already; this one is ignored for it. ` +
        'Remove the host from one of the two.';
      problems.push({ object: ref, condition: 'Conflicted', reason: 'OlderServiceEntry', message });
    }
  }
  return problems;
}

function noteDnsCollisions({ dnsOwners }: ViewContext, { dnsHosts }: ServiceEntryFacts): string[] {
  return dnsHosts.flatMap(({ hostname, address }) => {
    const owner = dnsOwners(address);
    if (owner === undefined || owner === hostname) return [];
    return [
      `spec.hosts: "${hostname}" gets no address from DNS capture, for the older "${owner}" happens to have it (${address}); ` +
        'write spec.addresses.',
    ];
  });
}

function noteSelection({ tables }: ViewContext, { ref, selector, resolution }: ServiceEntryFacts): string[] {
  if (Object.keys(selector).length === 0) return [];
  const { namespace } = ref;
  const pods = [...tables.podsSelectedBy({ namespace, selector })].length;
  const selected = pods + [...tables.workloadEntriesSelectedBy(namespace, selector)].length;
  if (selected === 0) {
    return [
      `spec.workloadSelector selects no pod and no WorkloadEntry of namespace ${namespace}; requests are answered with 503.`,
    ];
  }
  if (selected === 1 || resolution !== 'dns-round-robin') return [];
  return [
    `spec.workloadSelector selects ${selected} workloads, of which resolution DNS_ROUND_ROBIN takes one; write STATIC or DNS.`,
  ];
}
