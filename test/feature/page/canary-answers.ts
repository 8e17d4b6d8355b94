import type { Canary } from '../../../api/canary.ts';
import type { AnalysisRound, SideCounts } from '../../../api/canary-round.ts';

/** A Canary at some moment of its release, as the API server has it. */

function side(requests: number, failures: number, slow: number): SideCounts {
  const part = (share: number) => Math.round(requests * share);
  const durations = [
    { overMs: 5, upToMs: 10, count: part(0.5 - slow) },
    { overMs: 10, upToMs: 25, count: part(0.38) },
    { overMs: 25, upToMs: 50, count: part(0.1) },
    { overMs: 50, upToMs: 100, count: part(0.02 + slow) },
  ];
  return { requests, failures, durations };
}

export function round(more: Partial<AnalysisRound> = {}, weight = 10): AnalysisRound {
  const [next, stable] = [side(288, 2, 0.12), side(2602, 5, 0)];
  return {
    time: new Date(Date.now() - 8000).toISOString(),
    revision: '5d4b6f7c99',
    stableRevision: '7c9f8d5b44',
    step: 1,
    verdict: 'InsufficientEvidence',
    message: 'request-success-rate: 99.31% of 288 requests may still be 99% by chance',
    metrics: [
      {
        name: 'request-success-rate',
        verdict: 'InsufficientEvidence',
        value: 99.31,
        stableValue: 99.81,
        samples: 288,
        stableSamples: 2602,
        evidence: 4.2,
        evidenceNeeded: 400,
        message: 'it may still be below 99% by chance: more requests are awaited',
      },
      {
        name: 'request-duration',
        verdict: 'Passed',
        value: 96,
        stableValue: 44,
        samples: 288,
        stableSamples: 2602,
        evidence: 1.1,
        evidenceNeeded: 400,
      },
      { name: 'cart-size', verdict: 'MetricUnavailable', message: 'Prometheus did not answer within 10 s' },
    ],
    inputs: {
      elapsedMs: 120_000,
      weight,
      window: 2,
      confidence: 99,
      minRequests: 100,
      complete: true,
      reports: true,
      metrics: [
        { name: 'request-success-rate', intervalMs: 60_000, min: 99 },
        { name: 'request-duration', percentile: 99, intervalMs: 60_000, max: 250 },
        { name: 'cart-size', template: true, intervalMs: 60_000, min: 1 },
      ],
      next: { callers: next, served: next },
      stable: { callers: stable, served: stable },
    },
    ...more,
  };
}

export function canary(status: Canary['status'] = {}, name = 'ordering'): Canary {
  const began = new Date(Date.now() - 240_000).toISOString();
  const condition = (type: string, value: 'True' | 'False' | 'Unknown', reason: string, message: string) => ({
    type,
    status: value,
    reason,
    message,
    lastTransitionTime: began,
  });
  return {
    apiVersion: 'heddle.dev/v1alpha1',
    kind: 'Canary',
    metadata: { name, namespace: 'shop', uid: name },
    spec: {
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      progressDeadlineSeconds: 600,
      skipAnalysis: false,
      suspend: false,
      analysis: {
        interval: '60s',
        threshold: 5,
        stepWeights: [5, 10, 50, 100],
        mirror: true,
        mirrorWeight: 20,
        minRequests: 100,
        confidence: 99,
        traffic: 'Requests',
        noTrafficPolicy: 'Fail',
        metrics: [],
      },
    },
    status: {
      phase: 'Waiting',
      stableRevision: '7c9f8d5b44',
      canaryRevision: '5d4b6f7c99',
      weight: 10,
      step: 2,
      failedChecks: 1,
      verdict: 'InsufficientEvidence',
      metrics: { successRate: '99.31%', p99: '96ms', requests: 288 },
      stableMetrics: { successRate: '99.81%', p99: '44ms', requests: 2602 },
      rounds: [
        round(),
        round(
          {
            time: new Date(Date.now() - 70_000).toISOString(),
            verdict: 'Passed',
            message: 'all metrics passed',
            step: 1,
          },
          5,
        ),
        round(
          {
            time: new Date(Date.now() - 130_000).toISOString(),
            verdict: 'Failed',
            message: 'request-duration: 310 ms is above 250 ms',
            step: 1,
          },
          5,
        ),
      ],
      history: [
        { revision: '5d4b6f7c99', stableRevision: '7c9f8d5b44', startTime: began },
        {
          revision: '7c9f8d5b44',
          stableRevision: '6a5b4c3d2e',
          startTime: '2026-01-02T09:00:00Z',
          endTime: '2026-01-02T09:06:30Z',
          outcome: 'Promoted',
          message: 'all steps passed',
        },
        {
          revision: '6b6b6b6b6b',
          stableRevision: '6a5b4c3d2e',
          startTime: '2026-01-01T15:00:00Z',
          endTime: '2026-01-01T15:02:10Z',
          outcome: 'GivenUp',
          message: 'request-success-rate: 93.1% is below 99%',
        },
      ],
      conditions: [
        condition('Accepted', 'True', 'Accepted', 'the spec is in force'),
        condition('TargetReady', 'True', 'Ready', 'Deployment ordering can be released'),
        condition(
          'Progressing',
          'Unknown',
          'InsufficientEvidence',
          'step 3 (10%) waits for more requests: 99.31% of 288 requests succeeded, which may still be less than 99% by chance',
        ),
      ],
      ...status,
    },
  };
}
