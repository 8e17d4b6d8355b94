import type { V1Node } from '@kubernetes/client-node';
import type { Locality } from './snapshot.ts';

/** What the mesh reads of a Node. */
export interface NodeFacts {
  readonly name: string;
  readonly locality: Locality;
  /** False once the node's lease has run out: what its pods last said of themselves is no longer true. */
  readonly ready: boolean;
}

export const NO_LOCALITY: Locality = { region: '', zone: '', subzone: '' };

/** Reads a Node: locality from the well-known topology labels (subzone from Istio's). */
export function readNode(node: V1Node): NodeFacts {
  const labels = node.metadata?.labels ?? {};
  const condition = node.status?.conditions?.find(({ type }) => type === 'Ready');
  return {
    name: node.metadata?.name ?? '',
    locality: {
      region: labels['topology.kubernetes.io/region'] ?? '',
      zone: labels['topology.kubernetes.io/zone'] ?? '',
      subzone: labels['topology.istio.io/subzone'] ?? '',
    },
    ready: condition === undefined || condition.status === 'True',
  };
}
