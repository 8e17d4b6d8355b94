import { isDeepStrictEqual } from 'node:util';
import type { TemplateAnswer } from '../../api/canary-round.ts';
import type { AskTemplate, TemplateAnswers, TemplateQuestion } from './template-question.ts';

/** Questions under way at once, over all Canaries: a provider must not be flooded, nor one that hangs hold up all others. */
const AT_ONCE = 16;
/** How long an answer may take, both revisions together. */
const TIMEOUT_MS = 10_000;
/** After how long what failed is asked again. */
const RETRY_MS = 5000;

export interface RunnerOptions {
  readonly ask: AskTemplate;
  /** ms since the epoch. */
  readonly now?: () => number;
  readonly timeoutMs?: number;
  readonly retryMs?: number;
}

/** One question that is wanted. */
interface Asked {
  readonly question: TemplateQuestion;
  readonly target: string;
  readonly end: AbortController;
  answer: TemplateAnswer | undefined;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Asks MetricTemplates outside of the phase machine. A question is asked once its interval is over, again after each further interval while its window is
 * open, and again soon where there was no value; the newest answer counts. Nothing is kept: an operator that starts anew asks anew.
 */
export class TemplateRunner implements TemplateAnswers {
  readonly #options: Required<RunnerOptions>;
  readonly #asked = new Map<string, Map<string, Asked>>();
  readonly #waiting = new Set<Asked>();
  #running = 0;
  #listener: (target: string) => void = () => {};

  constructor(options: RunnerOptions) {
    this.#options = { now: Date.now, timeoutMs: TIMEOUT_MS, retryMs: RETRY_MS, ...options };
  }

  /** Calls back with the target of a Canary whose question was answered. */
  onAnswer(listener: (target: string) => void): void {
    this.#listener = listener;
  }

  answer(uid: string, metric: string, since: number): TemplateAnswer | undefined {
    const asked = this.#asked.get(uid)?.get(metric);
    return asked?.question.since === since ? asked.answer : undefined;
  }

  want(uid: string, target: string, questions: readonly TemplateQuestion[]): void {
    const before = this.#asked.get(uid);
    if (questions.length === 0 && before === undefined) return;
    const after = new Map<string, Asked>();
    for (const question of questions) {
      const known = before?.get(question.metric);
      const same = known !== undefined && isDeepStrictEqual(known.question, question);
      after.set(question.metric, same ? known : this.#begin(question, target));
    }
    for (const [metric, asked] of before ?? []) if (after.get(metric) !== asked) this.#drop(asked);
    if (after.size > 0) this.#asked.set(uid, after);
    else this.#asked.delete(uid);
  }

  /** Forgets everything, and ends what is under way. */
  stop(): void {
    for (const questions of this.#asked.values()) for (const asked of questions.values()) this.#drop(asked);
    this.#asked.clear();
  }

  #begin(question: TemplateQuestion, target: string): Asked {
    const asked: Asked = { question, target, end: new AbortController(), answer: undefined, timer: undefined };
    this.#askIn(asked, question.since + question.afterMs - this.#options.now());
    return asked;
  }

  #drop(asked: Asked): void {
    clearTimeout(asked.timer);
    this.#waiting.delete(asked);
    asked.end.abort();
  }

  #askIn(asked: Asked, ms: number): void {
    asked.timer = setTimeout(
      () => {
        this.#waiting.add(asked);
        this.#next();
      },
      Math.max(0, ms),
    );
  }

  #next(): void {
    for (const asked of this.#waiting) {
      if (this.#running >= AT_ONCE) return;
      this.#waiting.delete(asked);
      this.#running += 1;
      void this.#ask(asked).finally(() => {
        this.#running -= 1;
        this.#next();
      });
    }
  }

  async #ask(asked: Asked): Promise<void> {
    const { ask, timeoutMs, retryMs } = this.#options;
    const { question, end, target } = asked;
    const answer = await ask(question, AbortSignal.any([end.signal, AbortSignal.timeout(timeoutMs)]));
    if (end.signal.aborted) return;
    asked.answer = answer;
    this.#askIn(asked, answer.error === undefined ? question.intervalMs : retryMs);
    this.#listener(target);
  }
}
