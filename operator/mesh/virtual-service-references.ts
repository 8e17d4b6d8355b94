import { coveringHosts, namespaceOfHostname } from './hostname.ts';
import { byAge } from './mesh-object.ts';
import type { Backend } from './route-rule.ts';
import type { Hostname, MeshSettings, Problem, ServicePort } from './snapshot.ts';
import type { MeshTables } from './tables.ts';
import type { VirtualServiceFacts } from './virtual-service-facts.ts';
import { isVisibleTo } from './visibility.ts';

/** More broken references are counted only. */
const MAX_PROBLEMS = 8;

interface Found {
  readonly object: string;
  readonly ports: readonly ServicePort[];
  /** Its ports are those of the service it is an alias for. */
  readonly alias: boolean;
}

type Finding = Pick<Problem, 'reason' | 'message'>;

/**
 * What a VirtualService refers to and clients of its namespace can't find: services, ports of them, subsets. Its rules stay in force; what
 * leads to nothing is answered 503.
 */
export function findBrokenReferences(
  settings: MeshSettings,
  tables: MeshTables,
  { ref, references }: Pick<VirtualServiceFacts, 'ref' | 'references'>,
): Problem[] {
  const findings = new Map<string, Finding | undefined>();
  const broken = new Map<string, { readonly field: string; readonly finding: Finding; more: number }>();
  for (const { field, backend } of references) {
    const { hostname, subset = '', port = 0 } = backend;
    const key = `${port}|${subset}|${hostname}`;
    if (!findings.has(key)) findings.set(key, judge(settings, tables, ref.namespace, backend));
    const finding = findings.get(key);
    const known = broken.get(key);
    if (known !== undefined) known.more++;
    else if (finding !== undefined) broken.set(key, { field, finding, more: 0 });
  }
  const problems = [...broken.values()].slice(0, MAX_PROBLEMS).map(({ field, finding, more }): Problem => {
    const places = more === 0 ? field : `${field} and ${more} more`;
    return { object: ref, condition: 'Accepted', reason: finding.reason, message: `${places}: ${finding.message}` };
  });
  const rest = broken.size - problems.length;
  const last = problems.at(-1);
  if (rest === 0 || last === undefined) return problems;
  return [...problems.slice(0, -1), { ...last, message: `${last.message} ${rest} more destinations are missing.` }];
}

function judge(settings: MeshSettings, tables: MeshTables, namespace: string, backend: Backend): Finding | undefined {
  const { hostname, port, subset } = backend;
  const service = findService(settings, tables, namespace, hostname);
  if (typeof service === 'string') return { reason: 'DestinationNotFound', message: service };
  const { object, ports, alias } = service;
  if (port !== undefined && !alias && !ports.some((one) => one.port === port)) {
    const numbers = ports.map((one) => one.port).join(', ');
    const message = `${object} has no port ${port}; its ports are: ${numbers || 'none'}. Requests for it are answered 503.`;
    return { reason: 'PortNotFound', message };
  }
  if (subset === undefined || hasSubset(tables, namespace, hostname, subset)) return undefined;
  const message =
    `no DestinationRule that namespace ${namespace} sees defines subset "${subset}" of ${hostname}; add it to ` +
    'spec.subsets of one, or leave out the subset. Requests for it are answered 503.';
  return { reason: 'SubsetNotFound', message };
}

/** The service that clients of a namespace find under a hostname; or why they find none. */
function findService(
  settings: MeshSettings,
  tables: MeshTables,
  namespace: string,
  hostname: Hostname,
): Found | string {
  const home = namespaceOfHostname(settings, hostname);
  const service = home === undefined ? undefined : tables.services.get(`${home}/${hostname.split('.', 1)[0]}`);
  const hidden = `is not exported to namespace ${namespace}; add it to`;
  if (service !== undefined) {
    const { key, ports, kind, visibility } = service;
    if (isVisibleTo(visibility, namespace)) return { object: `Service ${key}`, ports, alias: kind === 'ExternalName' };
    return `Service ${key} ${hidden} its annotation networking.istio.io/exportTo. Requests for it are answered 503.`;
  }
  let unseen: string | undefined;
  for (const host of coveringHosts(hostname)) {
    const entries = [...tables.serviceEntries.select('host', host)].sort(byAge);
    const seen = entries.filter(({ visibility }) => isVisibleTo(visibility, namespace));
    const entry = seen.find(({ ref }) => ref.namespace === namespace) ?? seen[0];
    if (entry !== undefined) return { object: `ServiceEntry ${entry.key}`, ports: entry.ports, alias: false };
    unseen ??= entries[0]?.key;
  }
  if (unseen !== undefined)
    return `ServiceEntry ${unseen} ${hidden} its spec.exportTo. Requests for it are answered 503.`;
  return (
    `there is no Service or ServiceEntry for host ${hostname}; create one, or correct the host (short names are Services of ` +
    `namespace ${namespace}). Requests for it are answered 503.`
  );
}

function hasSubset(tables: MeshTables, namespace: string, hostname: Hostname, subset: string): boolean {
  for (const host of coveringHosts(hostname)) {
    for (const { ref, visibility, subsetNames } of tables.destinationRules.select('host', host)) {
      // In its own namespace a rule holds whatever it is exported to.
      const holds = ref.namespace === namespace || isVisibleTo(visibility, namespace);
      if (holds && subsetNames.includes(subset)) return true;
    }
  }
  return false;
}
