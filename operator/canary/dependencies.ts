import type { Canary } from '../../api/canary.ts';
import { dependencyKeys, findCycle } from '../../api/canary-dependency.ts';

/** A Canary that another one depends on. */
export interface Dependency {
  /** `namespace/name`. */
  readonly key: string;
  /** Why it is waited for; undefined: nothing is being released by it. */
  readonly problem: string | undefined;
  readonly isCycle: boolean;
}

/** Where Canaries are looked up. */
export interface CanarySource {
  /** By `namespace/name`. */
  readonly find: (key: string) => Canary | undefined;
  /** Revision of the present template of a Canary's target; undefined while there is none. */
  readonly current: (canary: Canary) => string | undefined;
}

/** Looks at each Canary that one depends on: whether it is there, leads back, or has a release under way. */
export function viewDependencies(canary: Canary, source: CanarySource): readonly Dependency[] {
  const own = `${canary.metadata.namespace}/${canary.metadata.name}`;
  return dependencyKeys(canary).map((key) => {
    const cycle = findCycle(own, key, source.find);
    if (cycle)
      return { key, problem: `${cycle.join(' depends on ')}: no one can go first; take one out`, isCycle: true };
    return { key, problem: problemOf(key, source), isCycle: false };
  });
}

function problemOf(key: string, { find, current }: CanarySource): string | undefined {
  const canary = find(key);
  if (!canary) return `there is no Canary ${key}`;
  const { phase, stableRevision, canaryRevision } = canary.status ?? {};
  if (phase === 'Failed') return `Canary ${key} has failed; it must be released or reverted first`;
  const isAtRest = (phase === 'Initialized' || phase === 'Succeeded') && canaryRevision === undefined;
  const revision = current(canary);
  if (isAtRest && revision !== undefined && revision === stableRevision) return undefined;
  if (isAtRest) return `Canary ${key} is about to release a new revision`;
  return `Canary ${key} is ${phase ?? 'not looked at yet'}`;
}
