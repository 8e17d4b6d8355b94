import { NO_LOCALITY } from './node.ts';
import type { PodFacts } from './pod.ts';
import type { Labels } from './selector.ts';
import type { Locality } from './snapshot.ts';
import type { MeshTables } from './tables.ts';

/** Istio's label by which a workload says where it is, whatever its node says. */
const LOCALITY_LABEL = 'istio-locality';

/** Reads `region/zone/subzone`, of which the later parts may be missing; what stands behind them is ignored, as in Istio. */
export function parseLocality(text: string): Locality {
  const [region = '', zone = '', subzone = ''] = text.split('/');
  return { region, zone, subzone };
}

/**
 * Locality by the label `istio-locality`. Kubernetes takes no slash in a label's value, so there the parts are divided by dots;
 * a WorkloadEntry may have slashes in its own.
 * @returns undefined when the labels say nothing
 */
export function matchLocalityLabel(labels: Labels): Locality | undefined {
  const text = Object.hasOwn(labels, LOCALITY_LABEL) ? labels[LOCALITY_LABEL] : undefined;
  if (text === undefined || text === '') return undefined;
  return parseLocality(text.includes('/') ? text : text.replaceAll('.', '/'));
}

/** Locality of a pod: by its label, else its node's; empty when the node is not known. */
export function localityOf(tables: MeshTables, { labels, node }: Pick<PodFacts, 'labels' | 'node'>): Locality {
  return matchLocalityLabel(labels) ?? tables.nodes.get(node)?.locality ?? NO_LOCALITY;
}
