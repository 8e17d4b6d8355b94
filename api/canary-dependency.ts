import type { Canary } from './canary.ts';

/** What is read of a Canary to find whom it depends on. */
export interface Depending {
  readonly metadata: Pick<Canary['metadata'], 'name' | 'namespace'>;
  readonly spec?: Pick<Canary['spec'], 'dependsOn'>;
}

/** Most Canaries that are looked at for a way back. */
const MAX_VISITED = 1000;

/** Keys (`namespace/name`) of the Canaries that a Canary depends on. */
export function dependencyKeys({ metadata, spec }: Depending): string[] {
  return (spec?.dependsOn ?? []).map(({ name, namespace }) => `${namespace ?? metadata.namespace}/${name}`);
}

/**
 * The way by which a Canary depends on itself, if it goes over one that it names.
 * @param own key of the Canary
 * @param first key of one that it depends on
 * @returns keys from `own` to `own`; undefined when there is no such way
 */
export function findCycle(
  own: string,
  first: string,
  find: (key: string) => Depending | undefined,
): readonly string[] | undefined {
  const seen = new Set<string>();
  let ways: string[][] = [[own, first]];
  while (ways.length > 0 && seen.size < MAX_VISITED) {
    const longer: string[][] = [];
    for (const way of ways) {
      const last = way.at(-1) ?? '';
      if (last === own) return way;
      if (seen.has(last)) continue;
      seen.add(last);
      const canary = find(last);
      for (const key of canary ? dependencyKeys(canary) : []) longer.push([...way, key]);
    }
    ways = longer;
  }
  return undefined;
}
