import { sameValue } from '../mesh/equality.ts';
import type { MeshDelta, MeshSnapshot } from '../mesh/snapshot.ts';

type Kind = Exclude<keyof MeshDelta, 'settings'>;

const KINDS: readonly Kind[] = [
  'services',
  'endpoints',
  'workloads',
  'routeRules',
  'destinationPolicies',
  'sidecars',
  'policies',
];

/** Several deltas in a row as one. */
export class HeldDelta {
  private readonly deltas: MeshDelta[] = [];

  add(delta: MeshDelta): void {
    this.deltas.push(delta);
  }

  /** Exactly what differs between the snapshot before the first and the one after the last: what became something else and back again does not. */
  between(before: MeshSnapshot, after: MeshSnapshot): MeshDelta {
    const [only] = this.deltas;
    if (only !== undefined && this.deltas.length === 1) return only;
    const differing = (kind: Kind): Set<string> => {
      const keys = new Set<string>();
      for (const delta of this.deltas) {
        for (const key of delta[kind]) if (!sameValue(before[kind].get(key), after[kind].get(key))) keys.add(key);
      }
      return keys;
    };
    const sets = Object.fromEntries(KINDS.map((kind) => [kind, differing(kind)])) as Record<Kind, Set<string>>;
    return { ...sets, settings: this.deltas.some(({ settings }) => settings) };
  }
}
