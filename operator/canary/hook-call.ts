import type { CanaryWebhook } from '../../api/canary-webhook.ts';

/** A question to a hook. The same round is asked once, unless it is to be repeated. */
export interface HookCall {
  readonly hook: CanaryWebhook;
  /** What is asked about: differs wherever an answer of before must not count. */
  readonly round: string;
  readonly repeat: 'never' | 'until-passed' | 'always';
  /** ms between repetitions. */
  readonly everyMs: number;
  /** ms before the first try. */
  readonly delayMs?: number;
  /** Phase that the hook is told. */
  readonly phase: string;
  /** Revision that is asked about. */
  readonly revision: string;
}

/** What a hook said. */
export interface HookAnswer {
  readonly passed: boolean;
  /** Why that is no yes; fit for people. */
  readonly message: string;
}
