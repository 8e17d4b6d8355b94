import { decodeQuestion, decodeTallies, encodeQuestion } from '../../../operator/ratelimit/count-message.ts';
import { MemoryCounters } from '../../../operator/ratelimit/memory-counters.ts';
import { SharedCounters } from '../../../operator/ratelimit/shared-counters.ts';
import type { Target } from '../target.ts';

const counters = new SharedCounters(new MemoryCounters(() => 0, { maxKeysPerDomain: 1000 }), {
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
    let count: number;
    try {
      count = decodeQuestion(bytes).hits.length;
    } catch {
      return;
    }
    if (decodeTallies(await counters.answer(bytes)).length !== count) throw new Error('not every hit has its tally');
  },
};
