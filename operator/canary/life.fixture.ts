import type { CanaryStatus } from '../../api/canary-status.ts';
import type { CanaryEvent } from './draft.ts';
import type { HookAnswer, HookCall } from './hook-call.ts';
import { frozen, observationOf, podsOf, revisionOf, specOf, targetOf, traffic } from './observation.fixture.ts';
import type { Observation, TargetView } from './observation.ts';
import { nextStatus } from './phase-machine.ts';

const START = Date.UTC(2026, 0, 1);
/** What a hook may say. */
export const YES: HookAnswer = { passed: true, message: '' };
export const NO: HookAnswer = { passed: false, message: '403' };
const atRest = nextStatus(undefined, observationOf(targetOf())).status;
/** Requests of which one in five fails at `r2`. */
export const bad = { traffic: (revision: string) => (revision === 'r2' ? traffic(100, 20) : traffic(1000)) };

/** A release of `r2`, all of whose pods are there. */
export const releasing = (more: Partial<TargetView> = {}): TargetView =>
  targetOf({ current: 'r2', ...more }, revisionOf('r2', podsOf(4)));

/** A release that is lived through second by second. */
export class Life {
  status: CanaryStatus = atRest;
  readonly events: CanaryEvent[] = [];
  asked: readonly HookCall[] = [];
  /** When it is to be looked at again at the latest, in ms. */
  nextLookMs: number | undefined;
  readonly #spec: Partial<Observation>;

  constructor(analysis: object = {}, spec: object = {}) {
    this.#spec = { spec: specOf(analysis, spec) };
  }

  at(second: number, more: Partial<Observation> = {}, target = releasing()): this {
    const observation = observationOf(target, { ...this.#spec, now: START + second * 1000, ...more });
    const { status, events, hooks, requeueAfterMs } = nextStatus(this.status, observation);
    this.nextLookMs = requeueAfterMs;
    this.status = frozen(status);
    this.events.push(...events);
    this.asked = hooks;
    return this;
  }

  /** Message of a condition. */
  said(type: string): string {
    return this.status.conditions?.find((one) => one.type === type)?.message ?? '';
  }

  get reasons(): string[] {
    return this.events.map(({ reason }) => reason);
  }

  get last(): string | undefined {
    return this.events.at(-1)?.message;
  }
}

/** A hook as a spec has it; its name is its type unless told. */
export const hook = (type: string, name = type, more: object = {}) => ({
  type,
  name,
  url: 'http://gate.ops/',
  timeout: '10s',
  ...more,
});
/** What the hooks of these names say. */
export const answering = (answers: Record<string, HookAnswer>) => ({
  answer: ({ hook: { name } }: HookCall) => answers[name],
});
