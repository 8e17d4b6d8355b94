import type { CanaryWebhook, HookType } from '../../api/canary-webhook.ts';
import { durationMs } from '../../api/duration.ts';
import type { Draft } from './draft.ts';
import { fail } from './failure.ts';
import type { HookAnswer, HookCall } from './hook-call.ts';
import type { Observation } from './observation.ts';
import type { Release } from './release.ts';

/** An answer makes the release be looked at again; this is for one that was lost. */
const LOOK_AGAIN_MS = 5000;

/** What the hooks of a type say, taken together. */
export interface Answers {
  readonly passed: readonly CanaryWebhook[];
  readonly refused: readonly { readonly hook: CanaryWebhook; readonly message: string }[];
  /** Asked, without an answer yet. */
  readonly pending: readonly CanaryWebhook[];
}

type Question = Pick<HookCall, 'round' | 'repeat' | 'delayMs'> & { readonly phase?: string };

/** Asks all hooks of a type. */
export function askHooks(draft: Draft, { spec, next }: Release, type: HookType, question: Question): Answers {
  const { interval, webhooks = [] } = spec.analysis;
  const call = { phase: 'Progressing', everyMs: durationMs(interval), revision: next.revision, ...question };
  return collect(
    webhooks.filter((hook) => hook.type === type),
    (hook) => draft.ask({ ...call, hook }),
  );
}

/** In words: whose no, or whose silence, is in the way. */
export function refusalOf({ refused }: Answers): string {
  return refused.map(({ hook, message }) => `${hook.type} hook ${hook.name} says no: ${message}`).join('; ');
}

/**
 * Asks the pre-rollout hooks, once the first pods are there.
 * @param failCheck counts a no
 * @returns whether requests may be sent
 */
export function isTested(draft: Draft, stage: Release, failCheck: (message: string) => void): boolean {
  const { state } = draft;
  if (state.tested || (state.weight ?? 0) > 0) return true;
  const failed = state.failedChecks ?? 0;
  const answers = askHooks(draft, stage, 'pre-rollout', {
    round: `${stage.next.revision}/pre-rollout/${failed}`,
    repeat: 'never',
    delayMs: failed === 0 ? 0 : durationMs(stage.spec.analysis.interval),
  });
  if (answers.refused.length > 0) {
    failCheck(refusalOf(answers));
    return false;
  }
  if (answers.pending.length > 0) {
    draft.enter('Progressing', `pre-rollout hooks are asked: ${names(answers.pending)}`);
    draft.requeue(LOOK_AGAIN_MS);
    return false;
  }
  if (answers.passed.length > 0) {
    state.tested = true;
    draft.progress();
    draft.event('Normal', 'HooksPassed', `pre-rollout hooks have said yes: ${names(answers.passed)}`);
  }
  return true;
}

/** Asks the rollout hooks about the present window. */
export function askRollout(draft: Draft, stage: Release): Answers {
  const { step = 0, stepStartTime } = draft.state;
  const round = `${stage.next.revision}/rollout/${step}/${stepStartTime}`;
  return askHooks(draft, stage, 'rollout', { round, repeat: 'always' });
}

/** Gives the revision up if a rollback hook says yes. @returns whether it did */
export function isRolledBack(draft: Draft, stage: Release): boolean {
  const { revision } = stage.next;
  const { passed, refused, pending } = askHooks(draft, stage, 'rollback', {
    round: `${revision}/rollback`,
    repeat: 'always',
    phase: draft.state.phase ?? 'Progressing',
  });
  if (refused.length + pending.length > 0) draft.requeue(durationMs(stage.spec.analysis.interval));
  if (passed.length === 0) return false;
  fail(draft, revision, 'RolledBack', `rollback hook ${names(passed)} says yes`);
  return true;
}

/** Tells the post-rollout hooks how a release has ended, until all have answered. */
export function askPostRollout(draft: Draft, { spec }: Observation): void {
  const { state } = draft;
  if (!state.postRollout || !spec) return;
  const { revision, phase } = state.postRollout;
  const hooks = (spec.analysis.webhooks ?? []).filter(({ type }) => type === 'post-rollout');
  const round = `${revision}/post-rollout/${phase}`;
  const { passed, refused, pending } = collect(hooks, (hook) =>
    draft.ask({ hook, round, repeat: 'never', everyMs: 0, phase, revision }),
  );
  if (pending.length > 0) {
    draft.requeue(LOOK_AGAIN_MS);
    return;
  }
  draft.clear('postRollout');
  if (passed.length > 0) draft.event('Normal', 'HooksPassed', `post-rollout hooks have said yes: ${names(passed)}`);
  for (const { hook, message } of refused) {
    draft.event('Warning', 'HookFailed', `post-rollout hook ${hook.name} says no: ${message}`, hook.muteAlert);
  }
}

/** Names of hooks, for a sentence. */
export function names(hooks: readonly CanaryWebhook[]): string {
  return hooks.map(({ name }) => name).join(', ');
}

function collect(hooks: readonly CanaryWebhook[], ask: (hook: CanaryWebhook) => HookAnswer | undefined): Answers {
  const answers = hooks.map((hook) => ({ hook, answer: ask(hook) }));
  return {
    passed: answers.filter(({ answer }) => answer?.passed).map(({ hook }) => hook),
    refused: answers.flatMap(({ hook, answer }) =>
      answer && !answer.passed ? [{ hook, message: answer.message }] : [],
    ),
    pending: answers.filter(({ answer }) => answer === undefined).map(({ hook }) => hook),
  };
}
