import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { CanarySpec } from '../../api/canary.ts';
import type { CanaryStatus } from '../../api/canary-status.ts';
import { isHandled } from './commands.ts';
import type { HookAnswer } from './hook-call.ts';
import { observationOf, podsOf, revisionOf, specOf, targetOf, traffic } from './observation.fixture.ts';
import type { Observation } from './observation.ts';
import { nextStatus } from './phase-machine.ts';

/** What happens between two looks, and whether the operator lives through this one. */
const moment = fc.record({
  elapsedMs: fc.constantFrom(0, 1000, 5000, 10_000, 20_000),
  /** A person gives a command, once the one before is gone. */
  given: fc.oneof({ weight: 8, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: commands() }),
  answers: fc.record({ rollout: said(8), rise: said(8), promotion: said(3), back: said(0) }),
  failures: fc.constantFrom(...Array<number>(15).fill(0), 1000),
  requests: fc.constantFrom(1000, 1000, 1000, 0),
  rolledOut: fc.boolean(),
  dies: fc.constantFrom('no', 'no', 'no', 'before the status is written', 'before the annotation is removed'),
});
type Moment = typeof moment extends fc.Arbitrary<infer T> ? T : never;

function commands() {
  return fc.constantFrom(
    'promote',
    'promote',
    'abort',
    'retry',
    'retry',
    'pause',
    'resume',
    'resume',
    'promote/r9',
    'nonsense',
  );
}

function said(yes: number) {
  const weights = [
    { weight: yes, arbitrary: fc.constant(true as boolean | undefined) },
    { weight: 1, arbitrary: fc.constant(false as boolean | undefined) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  ];
  return fc.oneof(...weights.filter(({ weight }) => weight > 0));
}

const HOOKS = [
  { type: 'confirm-rollout', name: 'rollout' },
  { type: 'confirm-traffic-increase', name: 'rise' },
  { type: 'confirm-promotion', name: 'promotion' },
  { type: 'rollback', name: 'back' },
].map((hook) => ({ ...hook, url: 'http://gate.ops/', timeout: '10s' }));

const SPEC = specOf({
  stepWeights: [50],
  webhooks: HOOKS,
  rollbackWindow: '20s',
  pauses: [{ afterStep: 1, duration: '10s' }],
});

interface World {
  status: CanaryStatus;
  annotation: string | undefined;
}

interface Look {
  readonly before: CanaryStatus;
  readonly after: CanaryStatus;
  readonly annotation: string | undefined;
  readonly events: readonly string[];
  /** Names of hooks of which a yes was heard in this look. */
  readonly heard: ReadonlySet<string>;
}

/** Lives through moments as the reconciler does: look, write the status, then take the annotation away. */
function live(
  moments: readonly Moment[],
  check: (look: Look) => void,
  give: (command: string) => void = () => {},
  specAt: (status: CanaryStatus) => CanarySpec = () => SPEC,
): World {
  const world: World = { status: nextStatus(undefined, observationOf(targetOf())).status, annotation: undefined };
  let now = Date.UTC(2026, 0, 1);
  for (const at of moments) {
    now += at.elapsedMs;
    const last = world.status.command;
    if (at.given !== undefined && world.annotation === undefined && (last === undefined || last.removed)) {
      world.annotation = at.given;
      give(at.given);
    }
    const heard = new Set<string>();
    const { status, events } = nextStatus(world.status, {
      ...observe(at, now, world, heard),
      spec: specAt(world.status),
    });
    if (at.dies === 'before the status is written') continue;
    const before = world.status;
    world.status = JSON.parse(JSON.stringify(status));
    check({
      before,
      after: world.status,
      annotation: world.annotation,
      events: events.map(({ reason }) => reason),
      heard,
    });
    if (at.dies !== 'before the annotation is removed' && isHandled(world.status, world.annotation))
      world.annotation = undefined;
  }
  return world;
}

function observe(at: Moment, now: number, { status, annotation }: World, heard: Set<string>): Observation {
  const listed = status.ungatedRevisions?.includes('r2') ?? false;
  const pods = podsOf(4, { held: listed ? 0 : 4 });
  const answers: Record<string, boolean | undefined> = at.answers;
  return observationOf(targetOf({ current: 'r2', rolledOut: at.rolledOut && listed }, revisionOf('r2', pods)), {
    now,
    command: annotation,
    answer: ({ hook }): HookAnswer | undefined => {
      const passed = answers[hook.name];
      if (passed) heard.add(hook.name);
      return passed === undefined ? undefined : { passed, message: passed ? '' : 'no' };
    },
    traffic: () => traffic(at.requests, Math.min(at.failures, at.requests)),
  });
}

const schedules = fc.array(moment, { minLength: 1, maxLength: 120 });
const settings = { numRuns: 400 };

describe('over any schedule of commands, answers and deaths of the operator', () => {
  test('each command is answered exactly once', () => {
    let done = 0;
    fc.assert(
      fc.property(schedules, (moments) => {
        let given = 0;
        let answered = 0;
        const end = live(
          moments,
          ({ before, after }) => {
            const { removed: _, ...now } = after.command ?? {};
            const { removed: __, ...was } = before.command ?? {};
            if (
              after.command &&
              !after.command.removed &&
              (JSON.stringify(now) !== JSON.stringify(was) || before.command?.removed)
            )
              answered++;
            if (after.command?.result === 'Done') done++;
          },
          () => given++,
        );
        const open = end.annotation !== undefined && !isHandled(end.status, end.annotation) ? 1 : 0;
        expect(answered).toBe(given - open);
      }),
      settings,
    );
    expect(done).toBeGreaterThan(100);
  });

  test('no revision is promoted past a confirm-promotion hook, nor gets a request before confirm-rollout, without a yes heard just then', () => {
    let promoted = 0;
    fc.assert(
      fc.property(schedules, (moments) => {
        live(moments, ({ before, after, heard }) => {
          if (after.phase === 'Promoting' && before.phase !== 'Promoting') {
            promoted++;
            expect(heard).toContain('promotion');
          }
          if ((after.weight ?? 0) > 0 && before.opened !== true)
            expect([...heard]).toEqual(expect.arrayContaining(['rollout', 'rise']));
        });
      }),
      settings,
    );
    expect(promoted).toBeGreaterThan(20);
  });

  test('gates open only from within the promotion, after its window or at the command', () => {
    let opened = 0;
    fc.assert(
      fc.property(schedules, (moments) => {
        live(moments, ({ before, after, annotation, events }) => {
          const fresh = after.ungatedRevisions?.includes('r2') && !before.ungatedRevisions?.includes('r2');
          if (!fresh) return;
          opened++;
          expect(before.phase).toBe('Promoting');
          expect(events).toContain('GatesOpen');
          expect(before.rollbackWindow !== undefined || annotation === 'promote').toBe(true);
        });
      }),
      settings,
    );
    expect(opened).toBeGreaterThan(5);
  });

  test('a paused release neither gains weight nor opens a gate before the promotion', () => {
    fc.assert(
      fc.property(schedules, (moments) => {
        live(moments, ({ before, after }) => {
          if (before.paused === undefined || after.paused === undefined || before.phase === 'Promoting') return;
          const rise = (after.weight ?? 0) - (before.weight ?? 0);
          // The step it is in may still be put in force.
          if (before.opened && before.weight !== 0) expect(rise).toBeLessThanOrEqual(0);
          expect(after.ungatedRevisions).not.toContain('r2');
        });
      }),
      settings,
    );
  });

  test('what was aborted or rolled back has no weight and stays given up until it is retried', () => {
    fc.assert(
      fc.property(schedules, fc.boolean(), (moments, skips) => {
        const check = ({ before, after, annotation }: Look): void => {
          if (after.phase === 'Failed') expect(after).toMatchObject({ weight: 0, failedRevision: 'r2' });
          if (before.phase === 'Failed' && after.phase !== 'Failed') expect(annotation).toBe('retry');
        };
        // Set for what is to come next.
        const specAt = ({ phase }: CanaryStatus) => ({ ...SPEC, skipAnalysis: skips && phase === 'Failed' });
        live(moments, check, () => {}, specAt);
      }),
      settings,
    );
  });
});
