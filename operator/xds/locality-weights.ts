import type { Locality } from '../mesh/snapshot.ts';
import type { Distribute } from './locality-setting.ts';

/** Endpoints of one locality, by what they weigh together. */
export interface WeighedLocality {
  readonly locality: Locality;
  readonly weight: number;
}

/** Parts of a percent that a locality's weight counts in. */
const SCALE = 10_000;

/**
 * What each locality's endpoints get of a client's requests (Istio `localityLbSetting.distribute`). A pattern that several localities match
 * divides its percentage among them by what their endpoints weigh.
 *
 * @param from where the client is; undefined: nowhere, which no rule is for
 * @returns weights in the order of the localities, 0 for those that are to get nothing
 */
export function localityWeights(
  rules: Distribute,
  from: Locality | undefined,
  localities: readonly WeighedLocality[],
): readonly number[] {
  const rule = from === undefined ? undefined : rules.find((entry) => matchesLocality(from, entry.from ?? ''));
  if (rule === undefined) return localities.map(({ weight }) => weight);
  const weights = localities.map(() => 0);
  const claimed = new Set<number>();
  for (const [pattern, percent] of byExactness(rule.to ?? {})) {
    const members = localities.flatMap(({ locality, weight }, index) =>
      !claimed.has(index) && matchesLocality(locality, pattern) ? [{ index, weight }] : [],
    );
    const total = members.reduce((sum, { weight }) => sum + weight, 0);
    for (const { index, weight } of members) {
      claimed.add(index);
      weights[index] = Math.max(1, Math.round((percent * SCALE * weight) / total));
    }
  }
  return weights;
}

/** `region`, `region/zone` or `region/zone/subzone`; `*` and what is left out match anything. */
function matchesLocality(locality: Locality, pattern: string): boolean {
  const [region = '', zone = '', subzone = ''] = pattern.split('/');
  const matches = (part: string, value: string): boolean => part === '*' || part === value;
  return (
    matches(region, locality.region) &&
    (zone === '' || matches(zone, locality.zone)) &&
    (subzone === '' || matches(subzone, locality.subzone))
  );
}

/** The more a pattern says, the sooner it is served; among equals the order of their names, lest it depend on how the object was written. */
function byExactness(to: Readonly<Record<string, number>>): (readonly [string, number])[] {
  const exactness = (pattern: string): number =>
    pattern.split('/').filter((part) => part !== '' && part !== '*').length;
  return Object.entries(to).sort(([a], [b]) => exactness(b) - exactness(a) || (a < b ? -1 : 1));
}
