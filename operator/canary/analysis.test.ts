import { describe, expect, test } from '@jest/globals';
import type { CanaryStatus } from '../../api/canary-status.ts';
import type { TrafficAnswer } from '../telemetry/traffic.ts';
import { observationOf, podsOf, revisionOf, specOf, targetOf, traffic } from './observation.fixture.ts';
import type { Observation } from './observation.ts';
import { nextStatus } from './phase-machine.ts';

const START = Date.UTC(2026, 0, 1);
const releasing = targetOf({ current: 'r2' }, revisionOf('r2', podsOf(4)));
const silent: TrafficAnswer = {
  ...traffic(0),
  callers: { ...traffic(0).callers, reporters: 0 },
};

/** A release looked at at these seconds, with an observation that may be another each time. */
function release(analysis: object, steps: readonly [number, Partial<Observation>][], from?: CanaryStatus) {
  let status = from ?? nextStatus(undefined, observationOf(targetOf())).status;
  const spec = specOf({ stepWeights: [50, 100], ...analysis });
  const events: string[] = [];
  let requeueAfterMs: number | undefined;
  let dueAfterMs: number | undefined;
  for (const [second, more] of steps) {
    const result = nextStatus(status, observationOf(releasing, { now: START + second * 1000, spec, ...more }));
    events.push(...result.events.map(({ reason }) => reason));
    ({ status, requeueAfterMs, dueAfterMs } = result);
  }
  return { status, events, requeueAfterMs, dueAfterMs };
}

const seen = (next: TrafficAnswer, stable = traffic(1000)): Partial<Observation> => ({
  traffic: (revision) => (revision === 'r2' ? next : stable),
});
const failedFor = ({ conditions }: CanaryStatus) =>
  conditions?.find(({ type, status }) => type === 'Failed' && status === 'True')?.reason;

describe('a check', () => {
  test('with too little evidence is neither passed nor failed, and its window grows until there is enough', () => {
    const doubtful = release({}, [
      [0, {}],
      [10, seen(traffic(10, 1))],
      [15, seen(traffic(40, 1))],
    ]);
    expect(doubtful.status).toMatchObject({
      phase: 'Waiting',
      verdict: 'InsufficientEvidence',
      failedChecks: 0,
      step: 0,
    });
    const proved = release({}, [[20, seen(traffic(120, 1))]], doubtful.status);
    expect(proved.status).toMatchObject({ step: 1, verdict: 'Passed' });
    const refuted = release({ threshold: 1 }, [[20, seen(traffic(120, 30))]], doubtful.status);
    expect(failedFor(refuted.status)).toBe('ThresholdReached');
  });

  test.each([
    ['while its window has begun, with looks until then', [0], 10_000, 2000],
    ['as long as its window is open', [0, 3], 7000, 2000],
    ['with no look before that is hardly earlier', [0, 9.5], 500, 500],
    ['anew once one has passed and the next window begins', [0, 10], 10_000, 10_000],
  ])('says when it is due: %s', (_, seconds, dueAfterMs, requeueAfterMs) => {
    const looks = seconds.map((second): [number, Partial<Observation>] => [second, {}]);
    expect(release({ stepDurations: ['20s', '20s'] }, looks)).toMatchObject({ dueAfterMs, requeueAfterMs });
  });

  test('that is over is not due any more', () => {
    const failing = release({ threshold: 5 }, [
      [0, {}],
      [10, seen(traffic(100, 60))],
    ]);
    expect(failing).toMatchObject({ status: { failedChecks: 1 }, dueAfterMs: undefined });
  });

  test('in which no request succeeds ends the release at once, whatever the threshold, and before the window is over', () => {
    const { status } = release({ threshold: 5 }, [
      [0, seen(traffic(0))],
      [3, seen(traffic(12, 12))],
    ]);
    expect(failedFor(status)).toBe('NoRequestSucceeds');
  });

  test('costs next to nothing before its window is over: only what the new revision got is asked for', () => {
    const asked: string[] = [];
    const watched: Partial<Observation> = {
      traffic: (revision) => {
        asked.push(revision);
        return traffic(1000, revision === 'r2' ? 10 : 0);
      },
    };
    const { status } = release({}, [
      [0, watched],
      [2, watched],
      [4, watched],
    ]);
    expect(asked).toEqual(['r2', 'r2', 'r2']);
    release({}, [[10, watched]], status);
    expect(asked).toEqual(['r2', 'r2', 'r2', 'r2', 'r1', 'r2']);
  });

  test('that passes is one change of the status, the beginning of the next window included', () => {
    const twice = { stepWeights: [50], stepDurations: ['20s'] };
    const { status } = release(twice, [
      [0, {}],
      [10, {}],
    ]);
    expect(status).toMatchObject({ step: 0, iterations: 1, evidence: { windows: 2 } });
    expect(release(twice, [[12, {}]], status).status).toEqual(status);
  });

  test('may be made each second', () => {
    const analysis = { interval: '1s' };
    const { status } = release(analysis, [
      [0, seen(traffic(0))],
      [1, {}],
      [2, {}],
    ]);
    expect(status.phase).toBe('Promoting');
    expect(
      release(analysis, [
        [0, seen(traffic(0))],
        [1, seen(traffic(3))],
      ]).requeueAfterMs,
    ).toBe(1000);
  });

  test('is written down with all it went by, the last five and each window once', () => {
    const steps = Array.from({ length: 17 }, (_, at): [number, Partial<Observation>] => [
      at * 11,
      seen(traffic(500, 50)),
    ]);
    const { status } = release({ threshold: 9 }, steps);
    expect(status.rounds).toHaveLength(5);
    expect(status.rounds?.map(({ inputs }) => inputs.window)).toEqual([8, 7, 6, 5, 4]);
    expect(status.rounds?.[0]).toMatchObject({
      revision: 'r2',
      stableRevision: 'r1',
      verdict: 'Failed',
      metrics: [{ name: 'request-success-rate', value: 90, samples: 500, verdict: 'Failed' }],
      inputs: { next: { callers: { requests: 500, failures: 50 } }, stable: { callers: { requests: 1000 } } },
    });
  });

  test('that looks worse by what chance explains passes at the deadline, one that is beyond a limit does not', () => {
    const looks: [number, Partial<Observation>][] = [
      [0, {}],
      [10, seen(traffic(10, 1))],
      [611, seen(traffic(20, 2))],
    ];
    const compared = { metrics: [{ name: 'request-success-rate', comparedToStable: { maxDecrease: 0 } }] };
    const doubtful = release(compared, looks.slice(0, 2)).status;
    expect(doubtful).toMatchObject({ phase: 'Waiting', verdict: 'InsufficientEvidence' });
    const { status, events } = release(compared, looks);
    expect(status).toMatchObject({ step: 1, failedChecks: 0, evidence: { claims: [{ nextBad: 2 }, { nextBad: 2 }] } });
    expect(events).toContain('PassedInDoubt');
    const [metric] = compared.metrics;
    const both = { metrics: [{ ...metric, thresholdRange: { min: 95 } }] };
    for (const analysis of [{}, both]) {
      expect(failedFor(release(analysis, looks).status)).toBe('ProgressDeadlineExceeded');
    }
  });

  test('leaves its evidence to the next when it passes, and none when it alone is proof: what has been told is spent', () => {
    const passed = release({}, [
      [0, {}],
      [10, seen(traffic(500, 2))],
    ]).status;
    expect(passed.evidence?.claims[0]).toMatchObject({ nextBad: 2, nextTotal: 500 });
    const failed = release({}, [
      [0, {}],
      [10, seen(traffic(500, 250))],
    ]).status;
    expect(failed).toMatchObject({ failedChecks: 1, evidence: { claims: [] } });
    expect(
      release(
        {},
        [
          [11, {}],
          [21, seen(traffic(500, 2))],
        ],
        failed,
      ).status,
    ).toMatchObject({ failedChecks: 1, step: 1 });
  });

  test('after one that only the whole release has proved fails as soon as it speaks against the revision, too', () => {
    const compared = {
      interval: '10s',
      stepWeights: [50],
      stepDurations: ['600s'],
      metrics: [{ name: 'request-success-rate', comparedToStable: { maxDecrease: 0 } }],
      threshold: 9,
    };
    const steady = (second: number): [number, Partial<Observation>] => [second, seen(traffic(500, 7), traffic(500, 3))];
    const bad = Array.from({ length: 60 }, (_, at) => steady(at * 10));
    const first = bad.findIndex((_, at) => release(compared, bad.slice(0, at + 1)).status.failedChecks === 1);
    expect(first).toBeGreaterThan(3);
    const failed = release(compared, bad.slice(0, first + 1)).status;
    const at = first * 10;
    expect(release(compared, [[at + 1, {}], steady(at + 11)], failed).status).toMatchObject({ failedChecks: 2 });
    const better = seen(traffic(500, 3), traffic(500, 3));
    const passed = release(
      compared,
      [
        [at + 1, {}],
        [at + 11, better],
      ],
      failed,
    ).status;
    expect(passed).toMatchObject({ failedChecks: 1, verdict: 'Passed' });
  });

  test('that waits is not written again while nothing is new', () => {
    const waiting = release({}, [
      [0, seen(traffic(3))],
      [10, seen(traffic(3))],
    ]).status;
    expect(release({}, [[15, seen(traffic(3))]], waiting).status).toEqual(waiting);
  });

  test('waits for the longest interval of its metrics, and fails before it when another one does', () => {
    const metrics = [
      { name: 'request-success-rate', thresholdRange: { min: 99 } },
      { name: 'request-duration', interval: '1m', thresholdRange: { max: 500 } },
    ];
    const pending = release({ metrics, threshold: 1 }, [
      [0, {}],
      [30, {}],
    ]);
    expect(pending.status).toMatchObject({ phase: 'Progressing', step: 0 });
    expect(release({ metrics, threshold: 1 }, [[60, {}]], pending.status).status.step).toBe(1);
    const bad = release({ metrics, threshold: 1 }, [[31, seen(traffic(100, 50))]], pending.status);
    expect(bad.status.phase).toBe('Failed');
  });
});

describe('a metric of a MetricTemplate', () => {
  const templateRef = { name: 'queue' };
  const metrics = [{ name: 'queue', templateRef, thresholdRange: { max: 10 } }];
  const answer = (more: object): Partial<Observation> => ({ measured: (metric) => ({ metric, query: 'q', ...more }) });
  const available = ({ conditions }: CanaryStatus) => {
    const found = conditions?.find(({ type }) => type === 'MetricsAvailable');
    return `${found?.status} ${found?.reason}: ${found?.message}`;
  };
  const error = answer({ reason: 'TimedOut', error: 'there was no answer in time' });

  test('that is in its range passes, and the query is written down', () => {
    const { status } = release({ metrics }, [
      [0, {}],
      [10, answer({ value: 3 })],
    ]);
    expect(status.step).toBe(1);
    expect(status.rounds?.[0]?.metrics).toEqual([{ name: 'queue', query: 'q', value: 3, verdict: 'Passed' }]);
    expect(available(status)).toMatch(/^True Answered/);
  });

  test('that is out of it fails', () => {
    const { status } = release({ metrics, threshold: 1 }, [
      [0, {}],
      [10, answer({ value: 11 })],
    ]);
    expect(failedFor(status)).toBe('ThresholdReached');
  });

  test('without an answer is waited for, to the deadline', () => {
    const waiting = release({ metrics }, [
      [0, {}],
      [10, {}],
      [300, {}],
    ]);
    expect(waiting.status).toMatchObject({ phase: 'Progressing', step: 0, failedChecks: 0 });
    expect(failedFor(release({ metrics }, [[700, {}]], waiting.status).status)).toBe('ProgressDeadlineExceeded');
  });

  test('that can not be had holds the release, says why once, and ends it at the deadline', () => {
    const held = release({ metrics }, [
      [0, {}],
      [10, error],
      [15, error],
    ]);
    expect(held.status).toMatchObject({ phase: 'Waiting', verdict: 'MetricUnavailable', step: 0, failedChecks: 0 });
    expect(available(held.status)).toBe('False TimedOut: queue: there was no answer in time');
    expect(held.events.filter((reason) => reason === 'TimedOut')).toHaveLength(1);
    expect(release({ metrics }, [[20, answer({ value: 3 })]], held.status).status.step).toBe(1);
    expect(failedFor(release({ metrics }, [[700, error]], held.status).status)).toBe('ProgressDeadlineExceeded');
  });

  test('compared with the stable revision needs a value of it', () => {
    const compared = { metrics: [{ name: 'queue', templateRef, comparedToStable: { maxIncrease: 50 } }], threshold: 1 };
    const having = (more: object) =>
      release(compared, [
        [0, {}],
        [10, answer({ value: 12, ...more })],
      ]).status;
    expect(having({}).verdict).toBe('MetricUnavailable');
    expect(having({ stableValue: 9 }).step).toBe(1);
    expect(failedFor(having({ stableValue: 7 }))).toBe('ThresholdReached');
  });
});

describe('without requests', () => {
  const nobody: [number, Partial<Observation>][] = [
    [0, seen(silent, silent)],
    [10, seen(silent, silent)],
    [50, seen(silent, silent)],
    [80, seen(silent, silent)],
  ];

  test.each<[string, object, Partial<CanaryStatus>]>([
    ['a release waits for the progress deadline', {}, { phase: 'Waiting', verdict: 'NoMeshClients' }],
    ['Fail gives up at its own deadline', { noTrafficDeadline: '1m' }, { phase: 'Failed' }],
    ['Wait waits', { noTrafficPolicy: 'Wait' }, { phase: 'Waiting' }],
    ['Promote goes on', { noTrafficPolicy: 'Promote', noTrafficDeadline: '1m' }, { step: 1, failedChecks: 0 }],
  ])('%s', (_, analysis, expected) => {
    expect(release(analysis, nobody).status).toMatchObject(expected);
  });

  test('Wait outlasts the progress deadline, and what comes then is judged', () => {
    const { status } = release({ noTrafficPolicy: 'Wait' }, [...nobody, [9000, seen(silent, silent)]]);
    expect(status.phase).toBe('Waiting');
    expect(release({ noTrafficPolicy: 'Wait' }, [[9001, {}]], status).status.step).toBe(1);
  });

  test('Promote says that it has seen nothing', () => {
    const { events } = release({ noTrafficPolicy: 'Promote', noTrafficDeadline: '1m' }, nobody);
    expect(events).toContain('PassedWithoutTraffic');
  });

  test('Promote lets nothing through that has failed', () => {
    const analysis = { noTrafficPolicy: 'Promote', noTrafficDeadline: '1m', threshold: 1 };
    const { status } = release(analysis, [
      ...nobody.slice(0, 3),
      [55, seen(traffic(20, 10))],
      [80, seen(silent, silent)],
    ]);
    expect(failedFor(status)).toBe('ThresholdReached');
  });

  test.each([
    ['Promote', 1],
    ['Wait', 0],
  ])('of a target that no sidecar routes to, %s holds as well', (noTrafficPolicy, step) => {
    const more = { coverage: () => ({ callers: 0, acknowledged: 0 }) };
    const deadline = noTrafficPolicy === 'Wait' ? {} : { noTrafficDeadline: '1m' };
    const { status } = release({ noTrafficPolicy, ...deadline }, [
      [0, more],
      [61, more],
      [62, more],
    ]);
    expect(status).toMatchObject({ step });
    expect(status.phase).not.toBe('Failed');
  });
});
