import { expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import type { Canary } from '../../api/canary.ts';
import type { CanaryStatus } from '../../api/canary-status.ts';
import { registerCanaryMetrics } from './metrics.ts';
import { observationOf, podsOf, revisionOf, specOf, targetOf, traffic } from './observation.fixture.ts';
import { nextStatus } from './phase-machine.ts';

/** A Canary whose release failed a check of two. */
function failing(): Canary {
  const spec = specOf({ stepWeights: [50] });
  const releasing = targetOf({ current: 'r2' }, revisionOf('r2', podsOf(4)));
  const start = Date.UTC(2026, 0, 1);
  let status: CanaryStatus = nextStatus(undefined, observationOf(targetOf())).status;
  for (const second of [0, 10]) {
    const more = { spec, now: start + second * 1000, traffic: () => traffic(100, 50) };
    status = nextStatus(status, observationOf(releasing, more)).status;
  }
  const metadata = { name: 'orders', namespace: 'shop' };
  return { apiVersion: 'heddle.dev/v1alpha1', kind: 'Canary', metadata, spec, status };
}

test('metrics tell of each release, from the leader alone', async () => {
  const registry = new Registry();
  let leads = true;
  const canary = failing();
  let canaries = [canary];
  const metrics = registerCanaryMetrics(
    registry,
    () => canaries,
    () => leads,
  );
  metrics.event(canary, { type: 'Warning', reason: 'CheckFailed', message: '' });
  metrics.answered('TimedOut');
  metrics.answered(undefined);
  const text = await registry.metrics();
  const of = 'namespace="shop",canary="orders"';
  for (const line of [
    `heddle_canary_weight{${of}} 50`,
    `heddle_canary_failed_checks{${of}} 1`,
    `heddle_canary_phase{${of},phase="Progressing"} 1`,
    `heddle_canary_phase{${of},phase="Failed"} 0`,
    `heddle_canary_metric{${of},metric="request-success-rate",revision="canary"} 50`,
    `heddle_canary_events_total{${of},reason="CheckFailed"} 1`,
    'heddle_canary_template_queries_total{result="TimedOut"} 1',
    'heddle_canary_template_queries_total{result="Value"} 1',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
  expect(text).toMatch(/heddle_canary_metric_evidence\{.*\} [1-9]/);
  leads = false;
  expect(await registry.metrics()).not.toContain('heddle_canary_weight{');
  expect(await registry.metrics()).toContain('heddle_canary_events_total{');
  canaries = [];
  expect(await registry.metrics()).not.toContain('heddle_canary_events_total{');
  canaries = [canary];
  metrics.event(canary, { type: 'Warning', reason: 'CheckFailed', message: '' });
  expect(await registry.metrics()).toContain(`heddle_canary_events_total{${of},reason="CheckFailed"} 1`);
});
