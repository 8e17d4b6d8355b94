import type { PodFacts } from './pod.ts';

/** Labels that tell a pod's canonical service, Istio's, in the order they are looked for. */
const LABELS = ['service.istio.io/canonical-name', 'app.kubernetes.io/name', 'app'] as const;

/** The service that a pod is of, as people name it, whichever Services select it; else the name of its owner. */
export function canonicalName({ labels, owner, name }: Pick<PodFacts, 'labels' | 'owner' | 'name'>): string {
  return LABELS.map((label) => labels[label]).find((value) => value !== undefined && value !== '') ?? (owner || name);
}
