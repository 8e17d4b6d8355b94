import { createWebhookMetrics } from '../../../webhook/metrics.ts';
import { type AdmissionAnswer, formatReview, ReviewError, readReview } from '../../../webhook/review.ts';
import { testHandlers } from '../../../webhook/testing/handlers.ts';
import { asBuffer } from '../engine/as-buffer.ts';
import type { Target } from '../target.ts';
import { deepReview, filledReview, oddPod } from './reviews.ts';

const handlers = testHandlers(createWebhookMetrics(), true);

/** Runs a review through a handler. @throws {Error} when it is neither answered nor refused */
export async function answerReview(path: string, bytes: Uint8Array): Promise<AdmissionAnswer | undefined> {
  try {
    const review = readReview(asBuffer(bytes));
    const answer = await handlers[path]?.(review);
    if (answer !== undefined) JSON.parse(formatReview(review.uid, answer));
    return answer;
  } catch (error) {
    if (error instanceof ReviewError) return undefined;
    throw error;
  }
}

const status = JSON.stringify({
  version: 'v1',
  initContainers: [],
  volumes: [],
  probes: { web: { type: 'http', port: 80, path: '/', listenerPort: 15_100 } },
});
const probe = { httpGet: { path: '/', port: 80 }, grpc: { port: 1 } };
const container = { name: 'web', livenessProbe: probe, lifecycle: { postStart: probe } };
const annotations = {
  'sidecar.istio.io/logLevel': 'debug',
  'traffic.sidecar.istio.io/excludeOutboundPorts': '1,2',
  'traffic.sidecar.istio.io/includeOutboundIPRanges': '10.0.0.0/8',
  'proxy.istio.io/config': 'a: b',
};

/** Pods that are made. */
export const target: Target = {
  name: 'inject',
  about: 'reviews of pods, of anybody, up to the patch',
  form: 'json',
  seeds: [
    oddPod({}, {}),
    oddPod({ annotations }, { initContainers: [{ ...container, restartPolicy: 'Always' }], readinessGates: [] }),
    oddPod({ annotations: { 'heddle.dev/status': status } }, { containers: [container], dnsPolicy: 'Default' }),
  ].map((review) => Buffer.from(JSON.stringify(review))),
  *largest() {
    for (const item of ['0', '{}', '{"name":"a"}', '{"name":"a","env":[0]}']) {
      yield filledReview(oddPod({}, { containers: '@' }), item);
      yield filledReview(oddPod({}, { initContainers: '@' }), item);
    }
    for (const list of ['env', 'ports', 'volumeMounts']) {
      for (const item of ['0', '{}'])
        yield filledReview(oddPod({}, { containers: [{ name: 'a', [list]: '@' }] }), item);
    }
    for (const item of ['"#":""', '"#":0']) {
      for (const map of ['labels', 'annotations']) yield filledReview(oddPod({ [map]: '@' }, {}), item);
      yield filledReview(oddPod({}, { x: '@' }), item);
    }
    for (const item of ['0', '{"name":"a"}']) yield filledReview(oddPod({}, { volumes: '@' }), item);
    yield filledReview(oddPod({}, { readinessGates: '@' }), '{"conditionType":"a"}');
    yield deepReview(oddPod({}, { containers: [{ name: 'a', x: '@' }] }));
    yield deepReview(oddPod({}, { readinessGates: [{ conditionType: 'a', x: '@' }] }));
    yield deepReview(
      oddPod(
        {},
        {
          initContainers: [
            { name: 'a', x: '@' },
            { name: 'b', restartPolicy: 'Always' },
          ],
        },
      ),
    );
  },
  run: async (bytes) => {
    await answerReview('/inject', bytes);
  },
};
