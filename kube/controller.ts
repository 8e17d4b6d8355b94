import { type Logger, silentLogger } from './logger.ts';
import { WorkQueue, type WorkQueueOptions } from './work-queue.ts';

export interface ReconcileResult {
  /** Reconcile again after so long; milliseconds. */
  readonly requeueAfterMs?: number;
  /** After so long the key is due, and goes before others that wait; milliseconds. */
  readonly dueAfterMs?: number;
}

export interface ControllerOptions extends WorkQueueOptions {
  readonly name: string;
  /** Makes the world match what the key's object asks for; must be safe to repeat. */
  readonly reconcile: (key: string) => Promise<ReconcileResult | undefined>;
  readonly logger?: Logger;
}

/** A loop that reconciles keys one by one; a failed key comes back with growing delay. */
export class Controller {
  readonly #queue: WorkQueue;
  readonly #options: ControllerOptions;
  readonly #logger: Logger;

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#queue = new WorkQueue(options);
    this.#logger = (options.logger ?? silentLogger).child({ controller: options.name });
  }

  enqueue(key: string): void {
    this.#queue.add(key);
  }

  enqueueAfter(key: string, delayMs: number): void {
    this.#queue.addAfter(key, delayMs);
  }

  /** Keys that wait to be worked on. */
  get waiting(): number {
    return this.#queue.length;
  }

  start(): void {
    this.#queue.run((key) => this.#work(key));
  }

  /** Resolves when nothing is under work any more. A controller that was stopped cannot be started again. */
  stop(): Promise<void> {
    return this.#queue.stop();
  }

  async #work(key: string): Promise<void> {
    try {
      const result = await this.#options.reconcile(key);
      this.#queue.forget(key);
      const { requeueAfterMs, dueAfterMs } = result ?? {};
      this.#queue.dueAfter(key, dueAfterMs);
      if (requeueAfterMs !== undefined && !(dueAfterMs !== undefined && dueAfterMs <= requeueAfterMs)) {
        this.#queue.addAfter(key, requeueAfterMs);
      }
    } catch (error) {
      const delayMs = Math.round(this.#queue.addRateLimited(key));
      this.#logger.warn('reconcile failed, trying again', { key, error, delayMs });
    }
  }
}
