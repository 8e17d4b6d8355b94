import { describe, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import fc from 'fast-check';
import { createWebhookMetrics } from './metrics.ts';
import { formatReview, ReviewError, readReview } from './review.ts';
import { testHandlers } from './testing/handlers.ts';
import { podReview } from './testing/review.ts';

const handlers = testHandlers(createWebhookMetrics(), true);

/** Answers a body as the server does: the answer's text, or the sentence of the refusal to read it. */
async function answer(path: string, body: string): Promise<string> {
  try {
    const review = readReview(Buffer.from(body));
    return formatReview(review.uid, (await handlers[path]?.(review)) ?? {});
  } catch (error) {
    if (error instanceof ReviewError) return error.message;
    throw error;
  }
}

/** The document with the value at one of its places exchanged; places are counted through from the root. */
function exchange(document: unknown, place: { left: number }, value: unknown): unknown {
  if (place.left-- === 0) return value;
  if (Array.isArray(document)) return document.map((item) => exchange(item, place, value));
  if (typeof document !== 'object' || document === null) return document;
  return Object.fromEntries(Object.entries(document).map(([key, item]) => [key, exchange(item, place, value)]));
}

const CANARY = {
  ...podReview('u'),
  request: {
    uid: 'u',
    kind: { group: 'heddle.dev', version: 'v1alpha1', kind: 'Canary' },
    operation: 'CREATE',
    namespace: 'shop',
    object: {
      metadata: { name: 'ordering' },
      spec: {
        targetRef: { kind: 'Deployment', name: 'ordering' },
        analysis: {
          interval: '10s',
          stepWeights: [5, 50],
          metrics: [{ name: 'request-duration', thresholdRange: { max: 5 } }],
        },
      },
    },
  },
};

test('whether a Canary holds a pod back is asked only of pods that get a sidecar', async () => {
  const asked: string[] = [];
  const isGated = async ({ metadata }: V1Pod) => asked.push(metadata?.name ?? '') > 0;
  const inject = testHandlers(createWebhookMetrics(), true, { isGated })['/inject'];
  const review = (name: string, spec: Record<string, unknown>) =>
    readReview(Buffer.from(JSON.stringify(podReview('u', { name }, spec))));
  await inject?.(review('on-its-node', { hostNetwork: true }));
  expect(asked).toEqual([]);
  expect((await inject?.(review('web', {})))?.patch).toContainEqual(
    expect.objectContaining({ path: '/spec/readinessGates' }),
  );
  expect(asked).toEqual(['web']);
});

describe('a review with anything anywhere', () => {
  test.each([
    ['/inject', podReview('u')],
    ['/validate', CANARY],
  ])('is answered or refused by %s, never the cause of an internal error', async (path, review) => {
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom('__proto__', -1, 1e99, [], {}, [null], { name: null }),
    );
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 90 }), value, async (left, odd) => {
        expect(await answer(path, JSON.stringify(exchange(review, { left }, odd)))).toBeTruthy();
      }),
      { numRuns: 500 },
    );
  });

  test('is refused for any text that is no review', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), async (body) => {
        expect(await answer('/inject', body)).toMatch(/^the body is/);
      }),
    );
  });
});
