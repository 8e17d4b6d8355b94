import { describe, expect, test } from '@jest/globals';
import type { CanaryStatus } from '../../api/canary-status.ts';
import type { TrafficAnswer } from '../telemetry/traffic.ts';
import { observationOf, podsOf, revisionOf, specOf, targetOf, traffic } from './observation.fixture.ts';
import type { Observation, TargetView } from './observation.ts';
import { nextStatus } from './phase-machine.ts';
import { sideOf } from './side.ts';
import { wantedFields } from './targets/wanted-fields.ts';

const START = Date.UTC(2026, 0, 1);
const STABLE = nextStatus(undefined, observationOf(targetOf())).status;
const MATCH = [{ headers: { 'x-beta': { exact: 'yes' } } }];

type More = Partial<Observation>;

/** A release by one strategy, and what became of it so far. */
class Run {
  status: CanaryStatus = STABLE;
  readonly events: string[] = [];
  private readonly spec: Observation['spec'];
  private second = 0;

  constructor(analysis: object, more: object = {}) {
    this.spec = specOf({ stepWeights: undefined, ...analysis }, more);
  }

  observation(target: TargetView | undefined, more: More = {}): Observation {
    return observationOf(target, { now: START + this.second * 1000, spec: this.spec, ...more });
  }

  /** So many seconds later, with so many pods of the new revision. */
  at(later: number, pods: number | TargetView = 4, more: More = {}): this {
    this.second += later;
    const target = typeof pods === 'number' ? releasing(pods) : pods;
    const { status, events } = nextStatus(this.status, this.observation(target, more));
    this.status = status;
    this.events.push(...events.map(({ reason }) => reason));
    return this;
  }

  get side(): string {
    const { weight, matched, mirror } = sideOf(this.status);
    return `${weight}${matched ? ' matched' : ''}${mirror > 0 ? ` copies ${mirror}` : ''}`;
  }
}

const releasing = (pods: number, more: Partial<TargetView> = {}): TargetView =>
  targetOf({ current: 'r2', ...more }, revisionOf('r2', podsOf(pods)));

/** Nobody but the revision's own sidecars saw anything. */
function servedAlone(requests: number, failures = 0): More {
  const { served } = traffic(requests, failures);
  const silent = { requests: 0, failures: 0, p99Ms: undefined, durations: [], reporters: 1 };
  return { traffic: (): TrafficAnswer => ({ callers: silent, served, complete: true }) };
}

const SILENT = servedAlone(0);
const BAD: More = { traffic: (revision) => traffic(1000, revision === 'r2' ? 500 : 0) };

describe('steps with durations', () => {
  test('last as long as they say, and every check of them must pass', () => {
    const run = new Run({ stepWeights: [5, 50], stepDurations: ['30s', '10s'] }).at(0);
    run.at(10).at(10);
    expect(run.status).toMatchObject({ step: 0, iterations: 2, weight: 5 });
    run.at(10);
    expect(run.status).toMatchObject({ step: 1, weight: 50 });
    expect(run.status.iterations).toBeUndefined();
    run.at(10);
    expect(run.status.phase).toBe('Promoting');
  });

  test('begin a check anew that failed, and keep those that passed', () => {
    const run = new Run({ stepWeights: [5], stepDurations: ['20s'] }).at(0).at(10).at(10, 4, BAD).at(1);
    expect(run.status).toMatchObject({ iterations: 1, failedChecks: 1, phase: 'Progressing' });
    run.at(10);
    expect(run.status.phase).toBe('Promoting');
  });
});

describe('an A/B test', () => {
  const begin = (): Run => new Run({ iterations: 2, match: MATCH });

  test('has a full set of pods first, then gets what matches until it is promoted', () => {
    const run = begin().at(0, 3);
    expect(run.status.verdict).toBe('AwaitingCapacity');
    expect(wantedFields(run.status, run.observation(releasing(3)))).toMatchObject({ maxSurge: '100%' });
    run.at(1);
    expect(run.side).toBe('0 matched');
    run.at(10).at(10);
    expect(run.status.phase).toBe('Promoting');
    run.at(0);
    // Those that matched stay with it while all others come.
    expect(run.side).toBe('100 matched');
    expect(run.status.ungatedRevisions).toEqual(['r1', 'r2']);
    run.at(1, targetOf({ current: 'r2', rolledOut: true }, revisionOf('r2', podsOf(4, { held: 0 }))));
    expect(run.status).toMatchObject({ phase: 'Succeeded', stableRevision: 'r2' });
    expect(run.side).toBe('0');
  });

  test('that fails gets nothing from that moment', () => {
    const run = begin().at(0).at(10, 4, BAD).at(1, 4, BAD).at(10, 4, BAD);
    expect(run.status.phase).toBe('Failed');
    expect(run.side).toBe('0');
  });

  test('that is given up for another template gets nothing, and the other no more than its turn', () => {
    const run = begin().at(0);
    const third = targetOf({ current: 'r3' }, revisionOf('r2', podsOf(4)), revisionOf('r3', podsOf(0)));
    run.at(1, third);
    expect(run.status.canaryRevision).toBe('r3');
    expect(run.side).toBe('0');
  });

  test('that is suspended stays as it is', () => {
    const run = begin().at(0);
    const { spec } = run.observation(releasing(4));
    run.at(1, 4, { spec: spec && { ...spec, suspend: true } });
    expect(run.side).toBe('0 matched');
  });

  test('that is changed begins its check anew, once sidecars have what it says now', () => {
    const run = begin().at(0).at(9);
    run.at(0, 4, { generation: 2, coverage: () => ({ callers: 2, acknowledged: 0 }) });
    expect(run.status.stepStartTime).toBeUndefined();
    run.at(1, 4, { generation: 2 });
    expect(run.status.stepStartTime).toBe(new Date(START + 10_000).toISOString());
  });
});

describe('blue/green', () => {
  test('passes its checks without a request, and then gets all at once', () => {
    const run = new Run({ iterations: 2 });
    const sides: string[] = [];
    for (const [later, pods] of [
      [0, 3],
      [1, 4],
      [10, 4],
      [10, 4],
      [0, 3],
      [1, 4],
    ] as const) {
      run.at(later, pods, {
        ...SILENT,
        coverage: (_, { weight }) => ({ callers: 2, acknowledged: weight === 100 ? 2 : 0 }),
      });
      sides.push(run.side);
    }
    expect(sides).toEqual(['0', '0', '0', '0', '0', '100']);
    expect(run.status.ungatedRevisions).toEqual(['r1', 'r2']);
  });

  test('judges requests that come to its pods all the same', () => {
    const run = new Run({ iterations: 1 }).at(0, 4, SILENT).at(10, 4, servedAlone(100, 50));
    expect(run.status).toMatchObject({ failedChecks: 1, verdict: 'Failed' });
  });

  test('does not take missing counts for silence', () => {
    const missing: More = { traffic: () => ({ ...traffic(0), complete: false }) };
    const run = new Run({ iterations: 1 }).at(0, 4, SILENT).at(10, 4, missing);
    expect(run.status).toMatchObject({ verdict: 'IncompleteMetrics', phase: 'Waiting' });
  });

  test('fails for a crash, whatever is not asked of it', () => {
    const crashed = targetOf({ current: 'r2' }, revisionOf('r2', podsOf(4, { restarts: 1 })));
    const run = new Run({ iterations: 3, threshold: 1 }).at(0, 4, SILENT).at(1, crashed, SILENT);
    expect(run.status.phase).toBe('Failed');
  });
});

describe('copies', () => {
  test('come before the first weight, are judged by what was served, and end with their step', () => {
    const run = new Run({ stepWeights: [50], mirror: true, mirrorWeight: 30 }).at(0, 2);
    expect(run.side).toBe('0 copies 30');
    run.at(10, 2, servedAlone(100));
    expect(run.side).toBe('50');
  });

  test('that go wrong fail the revision before anybody saw it', () => {
    const run = new Run({ stepWeights: [50], mirror: true, threshold: 1 }).at(0).at(10, 4, servedAlone(100, 50));
    expect(run.status.phase).toBe('Failed');
    expect(run.side).toBe('0');
  });

  test('that never come are no pass', () => {
    const run = new Run({ iterations: 1, mirror: true }).at(0).at(10, 4, SILENT);
    expect(run.status).toMatchObject({ phase: 'Waiting', verdict: 'InsufficientTraffic' });
  });

  test('end while there are not pods enough, and with the analysis', () => {
    const run = new Run({ iterations: 1, mirror: true }).at(0);
    expect(run.side).toBe('0 copies 100');
    expect(run.at(1, 3).side).toBe('0');
    expect(run.at(1).side).toBe('0 copies 100');
    run.at(10, 4, servedAlone(100));
    expect(run.status.phase).toBe('Promoting');
    expect(run.side).toBe('0');
  });
});

describe('pods', () => {
  test('stand beside the old ones as many as the user says', () => {
    const run = new Run({ stepWeights: [5, 50], surge: 2 }).at(0, 1);
    expect(run.status.verdict).toBe('AwaitingCapacity');
    expect(wantedFields(run.status, run.observation(releasing(1)))).toMatchObject({ maxSurge: '50%' });
    run.at(1, 2).at(10, 2);
    expect(run.side).toBe('50');
  });
});

describe('stepWeightPromotion', () => {
  test('has the rest of the requests come in steps', () => {
    const run = new Run({ stepWeights: [20], stepWeightPromotion: 30 }).at(0).at(10);
    const weights = [0, 5, 5, 9, 1, 10].map((later) => run.at(later).status.weight);
    expect(weights).toEqual([50, 50, 80, 80, 100, 100]);
    expect(run.status.ungatedRevisions).toEqual(['r1', 'r2']);
  });

  test('waits for pods, and gives back what they can no longer carry', () => {
    const run = new Run({ stepWeights: [20], stepWeightPromotion: 30 }).at(0).at(10);
    expect([2, 3, 1].map((pods) => run.at(10, pods).status.weight)).toEqual([50, 75, 25]);
  });
});

describe('a worker', () => {
  const worker = (): Run => new Run({ stepWeights: [25, 50], traffic: 'None' });
  const alone: More = { ...SILENT, services: [], coverage: () => ({ callers: 3, acknowledged: 0 }) };

  test('needs no Service and no request; its steps are of pods', () => {
    const run = worker().at(0, 1, alone);
    expect(run.status).toMatchObject({ phase: 'Progressing', weight: 25 });
    run.at(10, 1, alone);
    expect(run.status).toMatchObject({ verdict: 'AwaitingCapacity', step: 1 });
    run.at(1, 2, alone).at(10, 2, alone).at(1, 4, alone);
    expect(run.status).toMatchObject({ phase: 'Promoting', ungatedRevisions: ['r1', 'r2'] });
  });

  test('that was given up is stopped once kubectl rollout status can tell, unless nobody else would work', () => {
    const run = worker().at(0, 1, alone);
    const failed: CanaryStatus = { ...run.status, phase: 'Failed', failedRevision: 'r2' };
    const wanted = (more: Partial<TargetView> = {}, status = failed) =>
      wantedFields(status, run.observation(releasing(1, more)))?.paused ?? false;
    expect(wanted()).toBe(false);
    expect(wanted({ timedOut: true })).toBe(true);
    // The deadline is the user's, and may be long.
    expect(wanted({ mayTake: { maxSurge: true, maxUnavailable: true } })).toBe(true);
    const old = revisionOf('r1', podsOf(0));
    const onlyNew = new Map([old, revisionOf('r2', podsOf(4))].map((view) => [view.revision, view]));
    expect(wanted({ timedOut: true, revisions: onlyNew })).toBe(false);
    // Another template, or another try, goes on.
    expect(wanted({ timedOut: true, current: 'r3' })).toBe(false);
    expect(wanted({ timedOut: true }, { ...failed, phase: 'Progressing' })).toBe(false);
    const requests = new Run({ stepWeights: [25] });
    expect(wantedFields(failed, requests.observation(releasing(1, { timedOut: true })))?.paused).toBeUndefined();
  });

  test('of a StatefulSet that was given up goes back to the old revision, where others stay for a look', () => {
    const partition = (analysis: object, more: Partial<TargetView> = {}) => {
      const run = new Run({ stepWeights: [25], ...analysis });
      const failed: CanaryStatus = { ...run.status, canaryRevision: 'r2', phase: 'Failed', failedRevision: 'r2' };
      const target = releasing(1, { kind: 'StatefulSet', takesOut: 1, mayTake: { partition: true }, ...more });
      return wantedFields(failed, run.observation(target))?.partition;
    };
    expect(partition({ traffic: 'None' })).toBe(4);
    expect(partition({})).toBe(3);
    expect(partition({}, { takesOut: 4 })).toBe(4);
  });

  test('without that being said is a target whose Service is missing', () => {
    const status = new Run({ stepWeights: [25] }).at(0, targetOf(), { services: [] }).status;
    const condition = status.conditions?.find(({ type }) => type === 'TargetReady');
    expect(condition).toMatchObject({
      reason: 'NoService',
      message: expect.stringContaining('spec.analysis.traffic to None'),
    });
  });
});

test('of few callers none may be within the weight, and that is said', () => {
  const run = new Run({ stepWeights: [5], stickiness: { principal: true } }).at(0, 4, SILENT).at(11, 4, SILENT);
  expect(run.status).toMatchObject({ phase: 'Waiting', verdict: 'InsufficientTraffic' });
  const waiting = run.status.conditions?.find(({ type }) => type === 'Waiting');
  expect(waiting?.message).toContain('perhaps no caller is within this weight');
});

describe('a target whose Services carry no HTTP', () => {
  const opaque: More = { carriesHttp: false };
  const accepted = ({ status }: Run) => status.conditions?.find(({ type }) => type === 'Accepted');

  test('waits in vain for requests that match, and says so', () => {
    const run = new Run({ iterations: 1, match: MATCH }).at(0, 4, opaque).at(10, 4, opaque);
    expect(run.status).toMatchObject({ phase: 'Waiting', verdict: 'NoHttpPort' });
    expect(run.side).toBe('0');
    expect(accepted(run)).toMatchObject({ status: 'True', reason: 'AcceptedInPart' });
    expect(accepted(run)?.message).toContain("spec.analysis.match can't be in force, as no port of Service ordering");
  });

  test('is released by weight, and says that there is no affinity', () => {
    const run = new Run({ stepWeights: [50], sessionAffinity: { cookieName: 'seen' } }).at(0, 4, opaque);
    expect(run.side).toBe('50');
    expect(accepted(run)?.message).toContain('spec.analysis.sessionAffinity');
  });

  test.each([{}, { stickiness: { principal: true } }])(
    'by weight, and by who calls, has nothing to say: %j',
    (more) => {
      expect(accepted(new Run({ stepWeights: [50], ...more }).at(0, 4, opaque))?.reason).toBe('Accepted');
    },
  );
});
