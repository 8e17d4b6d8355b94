import { isJudged } from './policy-view.ts';
import type { ServiceFacts } from './service.ts';
import type { ServiceEntryFacts } from './service-entry.ts';
import type { MeshSettings, PolicyView } from './snapshot.ts';
import type { MeshTables } from './tables.ts';
import type { Visibility } from './visibility.ts';
import type { WorkloadEntryFacts } from './workload-entry.ts';
import { hasIpAddress } from './workload-entry-endpoint.ts';

/**
 * A WorkloadEntry as its user should see it: its clients are those of whatever selects it.
 * @returns undefined when it is in a namespace that is not ours to judge
 */
export function buildWorkloadEntryView(
  context: { readonly settings: MeshSettings; readonly tables: MeshTables },
  entry: WorkloadEntryFacts,
): PolicyView | undefined {
  const { namespace } = entry.ref;
  if (!isJudged(context, namespace)) return undefined;
  const services = [...context.tables.servicesSelecting({ namespace, labels: entry.labels })];
  const serviceEntries = [...context.tables.entriesSelecting(namespace, entry.labels)];
  const visibility = unite([...services, ...serviceEntries].map((one) => one.visibility));
  return {
    object: entry.ref,
    generation: entry.generation,
    reach: { kind: 'clients', visibility, labels: {} },
    selected: 0,
    problems: entry.problems,
    notes: [...entry.notes, ...noteSelection(entry, services, serviceEntries)],
  };
}

function unite(visibilities: readonly Visibility[]): Visibility {
  if (visibilities.includes('*')) return '*';
  return [...new Set(visibilities.flat())].sort();
}

function noteSelection(
  { workload, problems }: WorkloadEntryFacts,
  services: readonly ServiceFacts[],
  serviceEntries: readonly ServiceEntryFacts[],
): string[] {
  if (problems.length > 0) return [];
  if (services.length + serviceEntries.length === 0) {
    return [
      'spec.labels: no Service and no ServiceEntry of its namespace selects it, so it serves nothing; ' +
        "give it the labels of a ServiceEntry's spec.workloadSelector.",
    ];
  }
  if (workload === undefined || hasIpAddress(workload)) return [];
  const byAddress = serviceEntries.filter(({ resolution }) => resolution === 'endpoints');
  const names = [
    ...services.map(({ key }) => `Service ${key}`),
    ...byAddress.map(({ key }) => `ServiceEntry ${key}`),
  ].sort();
  if (names.length === 0) return [];
  return [
    `spec.address: "${workload.address}" is a name, which only a ServiceEntry with resolution DNS resolves; ${names.join(', ')} ` +
      'leave it out. Write an IP address.',
  ];
}
