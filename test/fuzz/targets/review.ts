import { formatReview, ReviewError, readReview } from '../../../webhook/review.ts';
import { podReview } from '../../../webhook/testing/review.ts';
import { asBuffer } from '../engine/as-buffer.ts';
import type { Target } from '../target.ts';
import { deepReview, filledReview, longestBodies, policyReviews } from './reviews.ts';

const pod = podReview('u');
const withObject = { ...pod, request: { ...pod.request, object: '@' } };

/** Bodies of reviews. */
export const target: Target = {
  name: 'review',
  about: 'bodies at the webhook port, of anybody',
  form: 'json',
  seeds: [Buffer.from(JSON.stringify(pod)), ...policyReviews().slice(0, 20)],
  *largest() {
    for (const item of ['"#":0', '"#":{}', '0', '{}', '[]', '""']) yield filledReview(withObject, item);
    for (const item of ['"#":0', '0', '[]']) yield filledReview({ ...pod, request: '@' }, item);
    for (const item of ['"#":0', '0', '[]']) yield filledReview({ ...pod, more: '@' }, item);
    yield* longestBodies();
    for (const member of ['"#":0', '"#":{}'])
      yield filledReview({ ...pod, request: { ...pod.request, oldObject: '@' } }, member);
    yield deepReview(withObject);
    yield deepReview({ ...pod, request: { ...pod.request, object: { a: '@' } } });
  },
  run(bytes) {
    try {
      JSON.parse(formatReview(readReview(asBuffer(bytes)).uid, {}));
    } catch (error) {
      if (!(error instanceof ReviewError)) throw error;
    }
  },
};
