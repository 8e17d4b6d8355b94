import type { V1Namespace } from '@kubernetes/client-node';
import type { MeshSettings } from './snapshot.ts';

/** What the mesh reads of a Namespace. */
export interface NamespaceFacts {
  readonly name: string;
  /** Its own labels ask for Heddle's injection. */
  readonly optedIn: boolean;
}

/** Reads a Namespace. */
export function readNamespace(namespace: V1Namespace): NamespaceFacts {
  const labels = namespace.metadata?.labels ?? {};
  const injection = labels['heddle.dev/injection'];
  return {
    name: namespace.metadata?.name ?? '',
    optedIn: injection === 'enabled' || (injection === undefined && labels['istio.io/rev'] === 'heddle'),
  };
}

/**
 * Decides whether we judge Istio's kinds in a namespace, that is, give its policies a status. In all others another
 * control plane may do so, and two writers would contradict each other. Istio's own label `istio-injection: enabled` says
 * nothing about whose a namespace is: it is ours once a pod of it runs our sidecar.
 * @param facts undefined when the namespace is not known (yet)
 * @param injectedPods true when a pod there runs our sidecar
 */
export function isOurNamespace(
  settings: MeshSettings,
  name: string,
  facts: NamespaceFacts | undefined,
  injectedPods: boolean,
): boolean {
  if (name === settings.rootNamespace || injectedPods) return true;
  if (facts === undefined) return false;
  return facts.optedIn;
}
