import { decodeQuestion, decodeTallies, encodeQuestion } from '../../../operator/ratelimit/count-message.ts';
import { MemoryCounters } from '../../../operator/ratelimit/memory-counters.ts';
import { SharedCounters } from '../../../operator/ratelimit/shared-counters.ts';
import type { Target } from '../target.ts';

/** Time goes on by this with each input, so that what it counted ends: ten million are three years. */
const STEP_MS = 10_000;
/** So many inputs apart ended windows are looked for. */
const SWEEP_EVERY = 500;

let now = 0;
const own = new MemoryCounters(() => now, { maxKeysPerDomain: 1000 });
const counters = new SharedCounters(own, {
  self: 'a',
  others: () => [],
  ask: () => Promise.reject(new Error('nobody is there')),
});
const hit = { key: '0 []', overflow: '0', hits: 1, requests: 2, unit: 'Minute' } as const;

/** What replicas ask each other to count. */
export const target: Target = {
  name: 'count',
  about: 'questions of other replicas of the operator',
  form: 'protobuf',
  seeds: [[hit], [hit, { ...hit, unit: 'Day', hits: 1e6 } as const], []].map((hits) =>
    encodeQuestion({ domain: 'd', hits }),
  ),
  // Nobody but a replica can send them, and there is no stranger among those.
  largest: () => [],
  async run(bytes) {
    now += STEP_MS;
    if (now % (SWEEP_EVERY * STEP_MS) === 0) own.sweep();
    let count: number;
    try {
      count = decodeQuestion(bytes).hits.length;
    } catch {
      return;
    }
    if (decodeTallies(await counters.answer(bytes)).length !== count) throw new Error('not every hit has its tally');
  },
};
