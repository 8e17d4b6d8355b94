import type { CanaryPhase, CanaryStatus } from '../../api/canary-status.ts';
import type { Condition } from '../../api/condition.ts';
import { mergeConditions } from '../../kube/status.ts';
import { isHandled } from './commands.ts';
import type { HookAnswer, HookCall } from './hook-call.ts';
import type { Observation } from './observation.ts';

/** An event to be recorded about the Canary. */
export interface CanaryEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** No alert is sent of it. */
  readonly muted?: boolean;
}

/** What a step of the phase machine comes to. */
export interface Transition {
  readonly status: CanaryStatus;
  readonly events: readonly CanaryEvent[];
  /** What is to be asked of hooks once the status is written. */
  readonly hooks: readonly HookCall[];
  /** Look again after so many ms, even if nothing is reported; undefined: nothing to wait for but changes. */
  readonly requeueAfterMs: number | undefined;
  /** So many ms from now a window ends, and is to be judged before others are looked at; undefined: none is open. */
  readonly dueAfterMs: number | undefined;
}

export type ConditionType =
  | 'Accepted'
  | 'TargetReady'
  | 'Progressing'
  | 'Waiting'
  | 'Promoted'
  | 'Failed'
  | 'Ungated'
  | 'MetricsAvailable';

/** Why a release stands still; also the verdict in `kubectl get`. */
export type WaitReason =
  | 'AwaitingCapacity'
  | 'InsufficientTraffic'
  | 'NoMeshClients'
  | 'NoHttpPort'
  | 'IncompleteMetrics'
  | 'InsufficientEvidence'
  | 'MetricUnavailable'
  | 'Ungated'
  | 'AwaitingConfirmation'
  | 'AwaitingDependencies'
  | 'DependencyCycle'
  | 'Paused'
  | 'Suspended'
  | 'TargetPaused';

type Said = Omit<Condition, 'lastTransitionTime' | 'type' | 'observedGeneration'>;

/** The status under work. Starts as the previous one; what is not set stays. Fields are set anew and never changed inside: the previous status has the same. */
export class Draft {
  readonly state: CanaryStatus;
  readonly #previous: CanaryStatus;
  readonly #observation: Observation;
  readonly #said = new Map<ConditionType, Said>();
  readonly #events: CanaryEvent[] = [];
  readonly #hooks: HookCall[] = [];
  #requeueAfterMs: number | undefined;
  #dueAfterMs: number | undefined;

  constructor(previous: CanaryStatus, observation: Observation) {
    this.#previous = previous;
    this.#observation = observation;
    const { conditions: _, ...state } = previous;
    this.state = state;
    this.#mendTimes();
  }

  get now(): string {
    return new Date(this.#observation.now).toISOString();
  }

  /** Whether the spec is another than the one the previous status was made from. */
  get isNewSpec(): boolean {
    const { observedGeneration } = this.#previous;
    return observedGeneration !== undefined && observedGeneration !== this.#observation.generation;
  }

  /** The condition as the previous status had it. */
  before(type: ConditionType): Condition | undefined {
    return this.#previous.conditions?.find((condition) => condition.type === type);
  }

  /** The command that a person has given and nothing has answered yet. */
  get awaitedCommand(): string | undefined {
    const { command } = this.#observation;
    return isHandled(this.state, command) ? undefined : command;
  }

  /** The message that a condition has by now. */
  saying(type: ConditionType): string {
    return this.#said.get(type)?.message ?? this.before(type)?.message ?? 'it has not been looked at yet';
  }

  /** Asks a hook. @returns its answer in this round, once there is one */
  ask(call: HookCall): HookAnswer | undefined {
    this.#hooks.push(call);
    return this.#observation.answer(call);
  }

  say(type: ConditionType, status: Condition['status'], reason: string, message: string): void {
    this.#said.set(type, { status, reason, message });
  }

  event(type: CanaryEvent['type'], reason: string, message: string, muted = false): void {
    this.#events.push({ type, reason, message, ...(muted ? { muted } : {}) });
  }

  /** The earliest of all wishes counts. */
  requeue(afterMs: number): void {
    this.#requeueAfterMs = Math.min(this.#requeueAfterMs ?? Number.POSITIVE_INFINITY, Math.max(afterMs, 10));
  }

  /** The open window ends so many ms from now. */
  due(afterMs: number): void {
    this.#dueAfterMs = Math.max(afterMs, 10);
    this.requeue(afterMs);
  }

  /** Moves to a phase; `message` tells what is going on in it. */
  enter(phase: CanaryPhase, message: string): void {
    this.state.phase = phase;
    const busy = phase === 'Progressing' || phase === 'Promoting' || phase === 'Waiting';
    this.say('Progressing', busy ? 'True' : 'False', phase, message);
    if (phase !== 'Waiting') {
      this.say('Waiting', 'False', 'NotWaiting', 'Nothing is waited for.');
      // What was waited for is no verdict; that of the last check stays to be seen.
      if (this.state.verdict !== 'Passed' && this.state.verdict !== 'Failed') delete this.state.verdict;
    }
    if (phase !== 'Failed') this.say('Failed', 'False', 'NotFailed', 'The present revision has not failed.');
    this.say('Promoted', ...PROMOTED[phase]);
  }

  /** Stands still for a reason that is no verdict on the revision. */
  wait(reason: WaitReason, message: string, muted = false): void {
    this.enter('Waiting', message);
    this.say('Waiting', 'True', reason, message);
    const before = this.before('Waiting');
    if (before?.status !== 'True' || before.reason !== reason) this.event('Normal', reason, message, muted);
    this.state.verdict = reason;
  }

  /** Something moved: the deadline counts anew. */
  progress(): void {
    this.state.lastProgressTime = this.now;
  }

  /** ms since something last moved. */
  stalledMs(): number {
    return this.#observation.now - Date.parse(this.state.lastProgressTime ?? this.now);
  }

  /** What a replica whose clock was ahead has written would else be waited for. */
  #mendTimes(): void {
    for (const field of ['stepStartTime', 'lastProgressTime'] as const) {
      if (this.#isAhead(this.state[field])) this.state[field] = this.now;
    }
    const { hold, rollbackWindow } = this.state;
    if (hold && this.#isAhead(hold.since)) this.state.hold = { ...hold, since: this.now };
    if (rollbackWindow && this.#isAhead(rollbackWindow.since)) {
      this.state.rollbackWindow = { ...rollbackWindow, since: this.now };
    }
  }

  #isAhead(time: string | undefined): boolean {
    return time !== undefined && Date.parse(time) > this.#observation.now;
  }

  /** Forgets fields of the status. */
  clear(...fields: (keyof CanaryStatus)[]): void {
    for (const field of fields) delete this.state[field];
  }

  finish(): Transition {
    const { generation } = this.#observation;
    const wanted = [...this.#said].map(([type, said]) => ({ type, ...said, observedGeneration: generation }));
    const kept = this.#previous.conditions ?? [];
    const status = withoutUndefined({ ...this.state, observedGeneration: generation });
    if (status.phase !== this.#previous.phase) status.lastTransitionTime = this.now;
    status.conditions = mergeConditions(kept, wanted, this.now);
    return {
      ...{ status, events: this.#events, hooks: this.#hooks },
      ...{ requeueAfterMs: this.#requeueAfterMs, dueAfterMs: this.#dueAfterMs },
    };
  }
}

const PROMOTED: Readonly<Record<CanaryPhase, [Condition['status'], string, string]>> = {
  Initializing: ['Unknown', 'Initializing', 'The target is being looked at.'],
  Initialized: ['True', 'Initialized', 'The stable revision serves; nothing is being released.'],
  Progressing: ['Unknown', 'Progressing', 'The new revision is being tried.'],
  Waiting: ['Unknown', 'Waiting', 'The new revision is held.'],
  Promoting: ['Unknown', 'Promoting', 'The new revision replaces the stable one.'],
  Succeeded: ['True', 'Succeeded', 'The new revision is the stable one now.'],
  Failed: ['False', 'Failed', 'The new revision was given up; the stable one serves.'],
};

function withoutUndefined(status: CanaryStatus): CanaryStatus {
  return Object.fromEntries(Object.entries(status).filter(([, value]) => value !== undefined)) as CanaryStatus;
}
