import { CLUSTER_TYPE, LISTENER_TYPE } from '../xds/resource.ts';

/** A version that the proxy refused, and why. */
export interface Rejection {
  readonly version: string;
  readonly message: string;
}

/**
 * Which resources of a refused response are to blame: Envoy applies the good clusters and listeners of one and names the bad ones; of other types all are
 * in doubt.
 */
export function blame(typeUrl: string, names: readonly string[], error: string): readonly string[] {
  if (typeUrl !== CLUSTER_TYPE && typeUrl !== LISTENER_TYPE) return names;
  const named = names.filter((name) => error.includes(name));
  return named.length > 0 ? named : names;
}
