import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { CanarySpec } from '../../api/canary.ts';
import type { CanaryStatus } from '../../api/canary-status.ts';
import { replay } from './judge/replay.ts';
import { frozen, observationOf, podsOf, revisionOf, specOf, targetOf, traffic } from './observation.fixture.ts';
import type { Observation, RevisionView } from './observation.ts';
import { nextStatus } from './phase-machine.ts';
import { planOf, type Step } from './plan.ts';
import { type Side, sideOf } from './side.ts';

interface Moment {
  readonly elapsedMs: number;
  readonly current: string;
  readonly replicas: number;
  readonly eligible: number;
  readonly stableEligible: number;
  readonly restarts: number;
  readonly crashing: boolean;
  readonly ungated: number;
  readonly callers: number;
  readonly acknowledged: number;
  readonly requests: number;
  readonly failures: number;
  readonly complete: boolean;
  readonly suspend: boolean;
  readonly pausedBy: 'us' | 'user' | undefined;
  readonly services: readonly string[];
  readonly rolledOut: boolean;
}

/** What a random moment looks like. */
const moment: fc.Arbitrary<Moment> = fc.record({
  elapsedMs: fc.nat({ max: 15_000 }),
  current: fc.constantFrom('r1', 'r2', 'r2', 'r2', 'r2', 'r3'),
  replicas: fc.constantFrom(4, 4, 4, 8, 1),
  eligible: fc.nat({ max: 8 }),
  stableEligible: fc.constantFrom(4, 4, 4, 0),
  restarts: fc.constantFrom(0, 0, 0, 0, 0, 1),
  crashing: fc.constantFrom(false, false, false, false, false, true),
  ungated: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 1),
  callers: fc.constantFrom(3, 3, 3, 3, 0),
  acknowledged: fc.constantFrom(3, 3, 3, 0),
  requests: fc.constantFrom(1000, 3, 0),
  failures: fc.constantFrom(0, 1000),
  complete: fc.constantFrom(true, false),
  suspend: fc.constantFrom(false, false, false, false, false, false, true),
  pausedBy: fc.constantFrom(undefined, undefined, undefined, undefined, 'us' as const, 'user' as const),
  services: fc.constantFrom(['ordering'], ['ordering'], ['ordering'], []),
  rolledOut: fc.boolean(),
});

/** A moment at which everything is as it should be; without many of them no release would ever get far. */
const goodMoment: fc.Arbitrary<Moment> = fc
  .record({
    elapsedMs: fc.constantFrom(0, 1000, 5000, 10_000, 10_000, 15_000),
    eligible: fc.constantFrom(4, 4, 4, 4, 4, 2, 1, 0),
    rolledOut: fc.boolean(),
  })
  .map((some) => ({ ...some, current: 'r2', replicas: 4, stableEligible: 4, restarts: 0, crashing: false, ungated: 0 }))
  .map((some) => ({ ...some, callers: 3, acknowledged: 3, requests: 1000, failures: 0, complete: true }))
  .map((some) => ({ ...some, suspend: false, pausedBy: undefined, services: ['ordering'] }));

/** A moment at which one thing is not. */
const flawedMoment: fc.Arbitrary<Moment> = fc
  .tuple(goodMoment, moment, fc.constantFrom('current', 'requests', 'complete', 'acknowledged', 'ungated', 'suspend'))
  .map(([good, random, flaw]) => ({ ...good, [flaw]: random[flaw as keyof Moment] }));

/** A moment at which every request fails. */
const badMoment: fc.Arbitrary<Moment> = goodMoment.map((good) => ({ ...good, failures: 1000 }));

/** All strategies there are. Their checks are 10 s apart. */
const MATCH = [{ headers: { 'x-beta': { exact: 'yes' } } }];
const SPECS: readonly CanarySpec[] = [
  { stepWeights: [5, 50] },
  { stepWeights: [5, 50], stepDurations: ['10s', '20s'], surge: '50%' },
  { stepWeights: [50], mirror: true, sessionAffinity: { cookieName: 'seen' } },
  { stepWeights: undefined, iterations: 2 },
  { stepWeights: undefined, iterations: 2, mirror: true, mirrorWeight: 50 },
  { stepWeights: undefined, iterations: 2, match: MATCH },
  { stepWeights: undefined, iterations: 1, match: MATCH, mirror: true },
].map((analysis) => specOf(analysis));
const spec = fc.constantFrom(...SPECS);

/** The steps of an analysis, where pods for all of them can be had. */
const stepsOf = ({ analysis }: CanarySpec): readonly Step[] => planOf(analysis, { reachable: 100, replicas: 4 });
const nameOf = ({ weight, matched, mirror }: Side): string => `${weight} ${matched} ${mirror}`;

/** A revision that saw good windows, long enough and with enough requests where it was to get any: when these began, by what it got. */
type Proofs = Map<string, Map<string, Set<number>>>;

function observe(spec: CanarySpec, at: Moment, now: number, status: CanaryStatus, proofs: Proofs): Observation {
  const listed = (revision: string) => status.ungatedRevisions?.includes(revision) ?? false;
  const held = (revision: string) => (listed(revision) ? 0 : at.eligible);
  const views: RevisionView[] = ['r1', 'r2', 'r3'].map((revision) => {
    const { ungated, restarts } = at;
    const broken = at.crashing ? ({ reason: 'PodsCrash', message: 'container app crashes' } as const) : undefined;
    const eligible = revision === 'r1' ? at.stableEligible : at.eligible;
    return revisionOf(
      revision,
      podsOf(8, { eligible, held: held(revision), ungated: revision === 'r1' ? 0 : ungated, restarts, broken }),
    );
  });
  const answer = { ...traffic(at.requests, Math.min(at.failures, at.requests)), complete: at.complete };
  return observationOf(
    targetOf(
      {
        current: at.current,
        replicas: at.replicas,
        pausedBy: at.pausedBy,
        // Kubernetes ends no rollout whose pods are held back.
        rolledOut: at.rolledOut && listed(at.current),
      },
      ...views,
    ),
    {
      now,
      spec: { ...spec, suspend: at.suspend },
      services: at.services,
      coverage: () => ({ callers: at.callers, acknowledged: at.acknowledged }),
      traffic: (revision, since) => {
        const side = sideOf(status);
        const asked = side.weight > 0 || side.matched || side.mirror > 0;
        const good = at.requests >= 10 ? at.failures === 0 : !asked;
        if (at.complete && good && now - since >= 10_000) {
          const seen = proofs.get(revision) ?? new Map<string, Set<number>>();
          proofs.set(revision, seen);
          seen.set(nameOf(side), (seen.get(nameOf(side)) ?? new Set()).add(since));
        }
        return answer;
      },
    },
  );
}

/** Lives through random moments; calls back after each. */
function live(
  spec: CanarySpec,
  moments: readonly Moment[],
  check: (before: CanaryStatus, after: CanaryStatus, events: readonly string[], proofs: Proofs) => void,
) {
  let status: CanaryStatus = nextStatus(undefined, observationOf(targetOf(), { spec })).status;
  let now = Date.UTC(2026, 0, 1);
  const proofs: Proofs = new Map();
  for (const at of moments) {
    now += at.elapsedMs;
    const before = status;
    if (at.current !== before.canaryRevision) proofs.delete(at.current);
    const result = nextStatus(before, observe(spec, at, now, before, proofs));
    status = frozen(result.status);
    check(
      before,
      status,
      result.events.map(({ reason }) => reason),
      proofs,
    );
  }
}

/** @param calm how many good moments there are for ten others */
const scheduled = (calm: number) =>
  fc.array(
    fc.oneof(
      { weight: calm, arbitrary: goodMoment },
      { weight: 6, arbitrary: flawedMoment },
      { weight: 3, arbitrary: badMoment },
      { weight: 1, arbitrary: moment },
    ),
    { minLength: 1, maxLength: 60 },
  );
const schedules = scheduled(20);
const settings = { numRuns: 200 };

describe('over any schedule', () => {
  test('no revision is released without good windows at every step, unless it needs no analysis', () => {
    const released = new Set<CanarySpec>();
    fc.assert(
      // Releases that get through are rare where much goes wrong, and every strategy is to have some.
      fc.property(spec, fc.oneof(schedules, scheduled(100)), (spec, moments) => {
        live(spec, moments, (before, after, events, proofs) => {
          if (!after.stableRevision || !before.stableRevision) return;
          const fresh = (after.ungatedRevisions ?? []).filter((one) => !before.ungatedRevisions?.includes(one));
          if (events.includes('ReleasedUntried') || events.includes('ReleasedFailed')) return;
          for (const revision of fresh) {
            released.add(spec);
            for (const step of stepsOf(spec)) {
              expect(proofs.get(revision)?.get(nameOf(step))?.size ?? 0).toBeGreaterThanOrEqual(step.checks);
            }
          }
        });
      }),
      { numRuns: 500 },
    );
    // That two of them have none by chance happens less than once in a million runs.
    expect(released.size).toBeGreaterThan(SPECS.length - 2);
  });

  test('nothing is got beyond the steps before the promotion, and nothing where nothing is released', () => {
    fc.assert(
      fc.property(spec, schedules, (spec, moments) => {
        const plan = stepsOf(spec);
        const highest = Math.max(...plan.map(({ weight }) => weight));
        live(spec, moments, (_before, { phase, canaryRevision, ...status }) => {
          const { weight, matched, mirror } = sideOf(status);
          const isTried = phase === 'Progressing' || phase === 'Waiting';
          expect(weight).toBeLessThanOrEqual(phase === 'Promoting' ? 100 : isTried ? highest : 0);
          if (matched) expect(plan.some((step) => step.matched) && (isTried || phase === 'Promoting')).toBe(true);
          // Nobody is served by a revision that only gets copies, and copies end before the promotion.
          if (mirror > 0) expect({ weight, matched, isTried }).toEqual({ weight: 0, matched: false, isTried: true });
          if (canaryRevision === undefined)
            expect({ weight, matched, mirror }).toEqual({ weight: 0, matched: false, mirror: 0 });
        });
      }),
      settings,
    );
  });

  test('the stable revision is always listed, and a failed one never', () => {
    fc.assert(
      fc.property(spec, schedules, (spec, moments) => {
        live(spec, moments, (_before, { phase, stableRevision, canaryRevision, ungatedRevisions, ...status }) => {
          if (stableRevision !== undefined) expect(ungatedRevisions).toContain(stableRevision);
          if (phase !== 'Failed') return;
          expect(sideOf(status)).toEqual({ weight: 0, matched: false, mirror: 0 });
          expect(ungatedRevisions).not.toContain(canaryRevision);
        });
      }),
      settings,
    );
  });

  test('a replica that starts from the written status alone goes on in the same way', () => {
    fc.assert(
      fc.property(spec, schedules, (spec, moments) => {
        let now = 0;
        let kept: CanaryStatus = {};
        for (const at of moments) {
          now += at.elapsedMs;
          const stored = JSON.parse(JSON.stringify(kept)) as CanaryStatus;
          const one = nextStatus(kept, observe(spec, at, now, kept, new Map()));
          const other = nextStatus(stored, observe(spec, at, now, stored, new Map()));
          expect(other).toEqual(one);
          kept = frozen(one.status);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('each recorded round comes to the same verdict when it is judged once more', () => {
    let judged = 0;
    fc.assert(
      fc.property(spec, schedules, (spec, moments) => {
        live(spec, moments, (_before, { rounds = [] }) => {
          judged += rounds.length;
          expect(rounds.length).toBeLessThanOrEqual(5);
          expect(replay(rounds).every(({ same }) => same)).toBe(true);
        });
      }),
      { numRuns: 60 },
    );
    expect(judged).toBeGreaterThan(50);
  });

  test('the same moment a second time changes nothing but what time has brought', () => {
    fc.assert(
      fc.property(spec, schedules, moment, (spec, moments, last) => {
        let now = 0;
        let status: CanaryStatus = {};
        for (const at of [...moments, last]) {
          now += at.elapsedMs;
          status = nextStatus(status, observe(spec, at, now, status, new Map())).status;
        }
        const stable = status.stableRevision;
        for (let i = 0; i < 8; i++) status = nextStatus(status, observe(spec, last, now, status, new Map())).status;
        const settled = nextStatus(status, observe(spec, last, now, status, new Map()));
        expect(settled.status).toEqual(status);
        expect(settled.events).toEqual([]);
        if (last.current === stable) expect(status.canaryRevision).toBeUndefined();
      }),
      { numRuns: 150 },
    );
  });
});
