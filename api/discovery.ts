import { matchesLabels } from './label-selector.ts';
import type { MeshConfig } from './mesh-config.ts';

/** Where discovery is told from. */
export type DiscoverySettings = Pick<MeshConfig, 'rootNamespace' | 'discoverySelectors'>;

/**
 * Whether a namespace belongs to the mesh: one of `discoverySelectors` selects it, or there are none. The root namespace always does. In Istio it
 * has to be selected like all others; but who forgets that takes every policy of the whole mesh out of force, such as a STRICT PeerAuthentication.
 * @param labels undefined when the namespace is not known (yet)
 */
export function isDiscovered(
  { rootNamespace, discoverySelectors }: DiscoverySettings,
  name: string,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  if (discoverySelectors.length === 0 || name === rootNamespace) return true;
  return labels !== undefined && discoverySelectors.some((selector) => matchesLabels(selector, labels));
}

/** What is to be said of something in a namespace that does not belong to the mesh; with a few words more it is no longer than a warning of admission may be. */
export function undiscoveredMessage(namespace: string): string {
  return `namespace ${namespace} is not part of the mesh: none of discoverySelectors in mesh.yaml (ConfigMap heddle-mesh) matches its labels; label it, or add a selector`;
}
