import { expect } from '@jest/globals';
import type { CanaryStatus } from '../../../api/canary-status.ts';
import { isReady, type OrdersTarget, revisionOf } from './canary-target.ts';
import type { Client } from './testbed-client.ts';

/**
 * Releases `orders` under requests of which none may fail, and expects that in the end all of its pods are ready and of the new revision.
 * @param weight at which the new revision is tried
 * @param meanwhile what happens then
 * @param replicas how many pods there are in the end
 */
export async function releaseUnharmed(
  caller: Client,
  target: OrdersTarget,
  weight: number,
  replicas: number,
  meanwhile: (status: CanaryStatus) => Promise<void>,
): Promise<void> {
  const [{ failures, examples }, end] = await caller.loadDuring('http://orders/', { rate: 100 }, async () => {
    await target.release('VERSION=v2');
    await meanwhile(await target.when((status) => status.weight === weight));
    const over = await target.over(200);
    await target.rollout(60);
    return over;
  });
  expect({ failures, examples }).toEqual({ failures: {}, examples: [] });
  expect(end.phase).toBe('Succeeded');
  const pods = await target.pods();
  expect(pods.map(revisionOf)).toEqual(Array.from({ length: replicas }, () => end.stableRevision));
  expect(pods.every(isReady)).toBe(true);
}
