import type { PodFacts } from '../../operator/mesh/pod.ts';

const LABELS = ['service.istio.io/canonical-name', 'app.kubernetes.io/name', 'app'] as const;

/** The name by which people know what a pod belongs to, as the graph has it (Istio's rule). */
export function canonicalName({ labels, owner }: Pick<PodFacts, 'labels' | 'owner'>): string {
  return LABELS.map((label) => labels[label]).find((value) => value !== undefined && value !== '') ?? owner;
}
