import { SIDE_ANNOTATION } from '../../api/canary-side.ts';
import type { MeshService } from '../../operator/mesh/snapshot.ts';
import { nameOf } from './words.ts';

/** What an address of one side of a Canary is to a caller; undefined: the service is none. */
export function sideNote({ name, split }: MeshService, hasSidecar: boolean): string | undefined {
  if (split?.side === undefined) return undefined;
  const { canary, side, stable, next, weight } = split;
  const what = `Service ${name} is the address of the ${side === 'canary' ? 'new' : 'stable'} revision of ${nameOf(canary)} (${SIDE_ANNOTATION})`;
  if (!hasSidecar) {
    return `${what}: who has no sidecar is not led there, but to the pods that are Ready, which are those of the stable revision until the promotion`;
  }
  if (weight === 100) {
    return side === 'canary'
      ? `${what}: all goes to ${next}, whatever the weight`
      : `${what}: all goes to ${next}, as no pod of ${stable} is left`;
  }
  const why = next === undefined ? 'no pod of a new revision can serve' : `${next} has failed`;
  return side === 'canary' ? `${what}: all goes to ${stable}, as ${why}` : `${what}: all goes to ${stable}`;
}
