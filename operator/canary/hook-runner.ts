import { isDeepStrictEqual } from 'node:util';
import type { Canary } from '../../api/canary.ts';
import type { CanaryWebhook } from '../../api/canary-webhook.ts';
import { durationMs } from '../../api/duration.ts';
import type { Logger } from '../../kube/logger.ts';
import { CallQueue } from './call-queue.ts';
import type { CanaryEvent } from './draft.ts';
import type { HookAnswer, HookCall } from './hook-call.ts';
import type { OutcallAnswer, OutcallBounds } from './outcall.ts';
import { pause } from './pause.ts';

/** Calls at the same time: of all Canaries together, and of one, lest slow servers of one hold up the others. */
const AT_ONCE = 32;
const AT_ONCE_EACH = 6;
/** Calls that wait for their turn; beyond it those of the type event are dropped. */
const MAX_TOLD = 1000;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;
/** Characters of an answer that reach a person. */
const MAX_SAID = 200;

export interface HookRunnerOptions {
  readonly post: (url: string, body: unknown, bounds: Omit<OutcallBounds, 'allowed'>) => Promise<OutcallAnswer>;
  /** Asked before every call. */
  readonly isLeader: () => boolean;
  readonly logger: Logger;
  /** ms since the epoch. */
  readonly now?: () => number;
}

interface Asked {
  call: HookCall;
  answer: HookAnswer | undefined;
  /** When it may be sent, or was last, in ms. */
  dueAt: number;
  busy: boolean;
  /** Has the release looked at again when it is due. */
  timer?: NodeJS.Timeout;
}

interface Questions {
  target: string;
  readonly asked: Map<string, Asked>;
}

/**
 * Asks hooks outside of the phase machine, within bounds. A round that has an answer is not asked again, unless the call says so; an
 * operator that starts anew knows no answers and asks again, so that each question is sent at least once, not exactly once.
 */
export class HookRunner {
  readonly #options: HookRunnerOptions;
  readonly #questions = new Map<string, Questions>();
  readonly #queue = new CallQueue({ atOnce: AT_ONCE, atOnceEach: AT_ONCE_EACH });
  readonly #end = new AbortController();
  #listener: (target: string) => void = () => {};

  constructor(options: HookRunnerOptions) {
    this.#options = options;
  }

  /** Calls back with the target of a Canary, whose release is to be looked at again. */
  onAnswer(listener: (target: string) => void): void {
    this.#listener = listener;
  }

  /** What a hook has answered. @param uid of the Canary */
  answer(uid: string, call: HookCall): HookAnswer | undefined {
    const asked = this.#questions.get(uid)?.asked.get(call.hook.name);
    return asked && isSame(asked.call, call) ? asked.answer : undefined;
  }

  /** Asks these and forgets all others of the Canary. @param target key that `onAnswer` gets */
  want(canary: Canary, target: string, calls: readonly HookCall[]): void {
    const { uid = '' } = canary.metadata;
    const before = this.#questions.get(uid)?.asked ?? new Map<string, Asked>();
    const asked = new Map<string, Asked>();
    const now = this.#now();
    for (const call of calls) {
      const known = before.get(call.hook.name);
      const entry: Asked =
        known && isSame(known.call, call)
          ? known
          : { call, answer: undefined, dueAt: now + (call.delayMs ?? 0), busy: false };
      asked.set(call.hook.name, entry);
    }
    for (const [name, { timer }] of before) if (asked.get(name) !== before.get(name)) clearTimeout(timer);
    if (asked.size > 0) this.#questions.set(uid, { target, asked });
    else this.#questions.delete(uid);
    for (const entry of asked.values()) this.#askIfDue(canary, target, entry, now);
  }

  /** Tells the hooks of the type event. Never holds anything up: what can't be sent soon is dropped and logged. */
  tell(canary: Canary, hooks: readonly CanaryWebhook[], { type, message }: CanaryEvent): void {
    for (const hook of hooks.filter((each) => each.type === 'event')) {
      if (this.#queue.length >= MAX_TOLD) {
        this.#options.logger.warn('event not sent to a hook: too many wait', { hook: hook.name });
        continue;
      }
      const metadata = { ...hook.metadata, eventMessage: message, eventType: type, timestamp: String(this.#now()) };
      const { name, namespace, uid = '' } = canary.metadata;
      const { phase = 'Initializing', canaryRevision, stableRevision } = canary.status ?? {};
      const body = { name, namespace, phase, checksum: canaryRevision ?? stableRevision ?? '', metadata };
      this.#queue.add(uid, async () => {
        const { passed, message: why } = await this.#send(hook, body);
        if (!passed)
          this.#options.logger.warn('hook does not take an event', {
            hook: hook.name,
            canary: `${namespace}/${name}`,
            why,
          });
      });
    }
  }

  /** Forgets what was asked for a Canary. */
  forget(uid: string): void {
    for (const { timer } of this.#questions.get(uid)?.asked.values() ?? []) clearTimeout(timer);
    this.#questions.delete(uid);
  }

  /** Forgets all: another replica leads, and what it hears is not known here. */
  forgetAll(): void {
    for (const uid of [...this.#questions.keys()]) this.forget(uid);
  }

  stop(): void {
    this.#end.abort();
    this.#queue.clear();
    this.forgetAll();
  }

  #askIfDue(canary: Canary, target: string, entry: Asked, now: number): void {
    const { call, answer } = entry;
    const again = call.repeat === 'always' || (call.repeat === 'until-passed' && !answer?.passed);
    if (entry.busy || (answer && !again)) return;
    const waitMs = entry.dueAt - now;
    if (waitMs > 0) {
      clearTimeout(entry.timer);
      entry.timer = setTimeout(() => this.#listener(target), waitMs).unref();
      return;
    }
    entry.busy = true;
    const { name, namespace, uid = '' } = canary.metadata;
    const { hook, phase, revision } = call;
    const body = { name, namespace, phase, checksum: revision, ...(hook.metadata ? { metadata: hook.metadata } : {}) };
    this.#queue.add(uid, async () => {
      const found = await this.#send(hook, body);
      entry.busy = false;
      entry.answer = found;
      entry.dueAt = this.#now() + call.everyMs;
      if (!this.#end.signal.aborted && this.#questions.get(uid)?.asked.get(hook.name) === entry) this.#listener(target);
    });
  }

  /** Tries until there is an answer, as often as the hook says. */
  async #send(hook: CanaryWebhook, body: object): Promise<HookAnswer> {
    let last: HookAnswer = { passed: false, message: 'this replica of the operator does not lead any more' };
    for (let tries = 0; tries <= (hook.retries ?? 0); tries++) {
      if (tries > 0) await pause(Math.min(FIRST_RETRY_MS * 2 ** (tries - 1), LONGEST_RETRY_MS), this.#end.signal);
      if (!this.#options.isLeader() || this.#end.signal.aborted) return last;
      try {
        const { timeout, disableTLS: insecure = false, url } = hook;
        const bounds = { timeoutMs: durationMs(timeout), insecure, signal: this.#end.signal };
        const { status, text } = await this.#options.post(url, body, bounds);
        if (status >= 200 && status < 300) return { passed: true, message: '' };
        last = { passed: false, message: `${status} ${said(text)}`.trim() };
        if (status < 500) return last;
      } catch (error) {
        last = { passed: false, message: error instanceof Error ? error.message : String(error) };
      }
    }
    return last;
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }
}

function isSame(one: HookCall, other: HookCall): boolean {
  return one.round === other.round && isDeepStrictEqual(one.hook, other.hook);
}

function said(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, MAX_SAID);
}
