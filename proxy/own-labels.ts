import { variable } from './expansion.ts';
import type { WorkloadFacts } from './peer-subject.ts';

/** The cluster that metrics name: Istio's name for a mesh of one cluster. */
export const CLUSTER_NAME = 'Kubernetes';

/** What the metrics page of a pod says of the pod itself. */
export interface OwnWorkload extends WorkloadFacts {
  readonly trustDomain: string;
}

/**
 * Labels of the pod itself, as text of Prometheus, for one end of the calls. Namespace and service account come from the environment.
 * @param side which end the pod is
 */
export function ownLabels(side: 'source' | 'destination', own: OwnWorkload): string {
  const labels = {
    workload: own.workload,
    workload_namespace: variable('POD_NAMESPACE'),
    canonical_service: own.canonicalService,
    canonical_revision: own.canonicalRevision || 'latest',
    app: own.app,
    version: own.version,
    cluster: CLUSTER_NAME,
  };
  return Object.entries(labels)
    .map(([name, value]) => `${side}_${name}="${escapeLabel(value || 'unknown')}"`)
    .join(',');
}

/** The pod's own SPIFFE ID. */
export function ownPrincipal({ trustDomain }: OwnWorkload): string {
  return `spiffe://${trustDomain}/ns/${variable('POD_NAMESPACE')}/sa/${variable('SERVICE_ACCOUNT')}`;
}

/** As Prometheus reads values of labels. */
function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

/** A text in Lua's source: every byte that could mean something is written as its number. */
export function luaString(text: string): string {
  const quoted = text.replace(/[\\"\p{Cc}]/gu, (character) => {
    const bytes = [...Buffer.from(character)];
    return bytes.map((byte) => `\\${String(byte).padStart(3, '0')}`).join('');
  });
  return `"${quoted}"`;
}
