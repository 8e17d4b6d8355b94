import { type CanarySpec, canarySpec } from '../../api/canary.ts';
import type { RevisionTraffic, TrafficAnswer } from '../telemetry/traffic.ts';
import type { Observation, RevisionView, TargetView } from './observation.ts';
import type { RevisionPods } from './pods.ts';

/** A spec with its defaults; `more` goes over the fields of `spec`, `analysis` over those of its analysis. */
export function specOf(analysis: object = {}, more: object = {}): CanarySpec {
  return canarySpec.parse({
    targetRef: { kind: 'Deployment', name: 'ordering' },
    analysis: { interval: '10s', threshold: 2, stepWeights: [5, 50], ...analysis },
    ...more,
  });
}

/** Gated pods with sidecars, all of them eligible. */
export function podsOf(total: number, more: Partial<RevisionPods> = {}): RevisionPods {
  const well = { total, eligible: total, ungated: 0, held: total, injected: total, restarts: 0 };
  return { ...well, broken: undefined, trouble: undefined, ...more };
}

/** A revision whose number and template follow from its name: `r2` is the second. */
export function revisionOf(revision: string, pods: RevisionPods): RevisionView {
  const ordinal = Number(revision.slice(1));
  const ready = pods.eligible - pods.held;
  return { revision, ordinal, replicas: pods.total, ready, restartFingerprint: `template ${revision}`, pods };
}

/** A prepared target of 4 pods, all of `r1`, with `r1` as its template. */
export function targetOf(more: Partial<TargetView> = {}, ...revisions: readonly RevisionView[]): TargetView {
  const stable = revisionOf('r1', podsOf(4, { held: 0 }));
  return {
    kind: 'Deployment',
    resumedBy: 'kubectl rollout resume',
    takesOut: 0,
    replicas: 4,
    strategy: 'RollingUpdate',
    pausedBy: undefined,
    current: 'r1',
    revisions: new Map([stable, ...revisions].map((view) => [view.revision, view])),
    rolledOut: revisions.length === 0,
    timedOut: false,
    minReadySeconds: 0,
    maxSurge: '5%',
    maxUnavailable: 0,
    progressDeadlineSeconds: 600,
    mayTake: { maxSurge: true, maxUnavailable: true, progressDeadlineSeconds: true },
    ...more,
  };
}

/** The same counts from both sides of the call. */
export function traffic(requests: number, failures = 0, p99Ms = 12): TrafficAnswer {
  const durations = requests > 0 ? [{ overMs: p99Ms - 0.01, upToMs: p99Ms, count: requests }] : [];
  const p99 = requests > 0 ? p99Ms : undefined;
  const side: RevisionTraffic = { requests, failures, p99Ms: p99, durations, reporters: 1 };
  return { callers: side, served: side, complete: true };
}

/** Good traffic, two callers that acknowledge everything at once, one Service. */
export function observationOf(target: TargetView | undefined, more: Partial<Observation> = {}): Observation {
  return {
    // Reading a spec is most of what this costs.
    spec: 'spec' in more ? more.spec : specOf(),
    now: Date.UTC(2026, 0, 1),
    generation: 1,
    problems: [],
    undiscovered: undefined,
    targetTitle: 'Deployment ordering',
    rival: undefined,
    target,
    namespace: 'shop',
    services: ['ordering'],
    coverage: () => ({ callers: 2, acknowledged: 2 }),
    command: undefined,
    answer: () => undefined,
    dependencies: () => [],
    traffic: () => traffic(1000),
    measured: () => undefined,
    usage: () => undefined,
    ...more,
  };
}

/** The same: a write to it, however deep, throws. What a step was given it must leave as it was. */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}
