import { createHash } from 'node:crypto';
import { isGlobal, limitName, type RateLimit } from '../../api/rate-limit-policy.ts';
import { countKey, LIMIT_KEY, overrideValues } from '../mesh/rate-limit-descriptor.ts';
import type { RateLimitRules } from '../mesh/rate-limits.ts';
import type { Hit } from './counters.ts';

/** An entry of a descriptor. */
export interface DescriptorEntry {
  readonly key: string;
  readonly value: string;
}

/** Longer keys are counted by their hash: a header may be of many kB. */
const MAX_KEY = 200;

/** The global limits of a policy, to be found by what proxies ask. */
export class LimitLookup {
  readonly #limits = new Map<string, { readonly limit: RateLimit; readonly overrides: ReadonlyMap<string, Rate> }>();

  constructor({ spec: { limits = [] } }: Pick<RateLimitRules, 'spec'>) {
    for (const [index, limit] of limits.entries()) {
      if (isGlobal(limit)) this.#limits.set(limitName(limit, index), { limit, overrides: overridesOf(limit) });
    }
  }

  /**
   * What a descriptor is to be counted as.
   * @returns undefined when it is of no limit, as of one that is gone
   */
  find(entries: readonly DescriptorEntry[], hits: number): Hit | undefined {
    const values = new Map(entries.map(({ key, value }) => [key, value]));
    const name = values.get(LIMIT_KEY) ?? '';
    const found = this.#limits.get(name);
    if (found === undefined) return undefined;
    const { requests, unit, countBy = [] } = found.limit;
    const counted = JSON.stringify(countBy.map((_, place) => values.get(countKey(place)) ?? ''));
    const rate = found.overrides.get(counted) ?? { requests, unit };
    return { key: shortened(`${name} ${counted}`), overflow: name, hits, ...rate };
  }
}

type Rate = Pick<Hit, 'requests' | 'unit'>;

function overridesOf(limit: RateLimit): Map<string, Rate> {
  return new Map(
    limit.overrides?.map(({ values, requests, unit = limit.unit }) => [
      JSON.stringify(overrideValues(limit, values)),
      { requests, unit },
    ]),
  );
}

function shortened(key: string): string {
  return key.length <= MAX_KEY ? key : createHash('sha256').update(key).digest('base64url');
}
