import type { Canary } from '../../../api/canary.ts';
import type { GraphView } from '../../../api/view/graph-view.ts';
import { silentLogger } from '../../../kube/logger.ts';
import { readPage } from '../../../operator/dashboard/page-files.ts';
import { RequestError } from '../../../operator/dashboard/query.ts';
import { DashboardServer } from '../../../operator/dashboard/server.ts';
import type { Changed, ViewSource } from '../../../operator/dashboard/view-source.ts';
import { canary } from './canary-answers.ts';
import { controlPlane, policies, proxies, refusals, seriesOf, shopGraph } from './shop-answers.ts';

type Question = Exclude<keyof ViewSource, 'onChanged'>;

/** The operator's own server, with a mesh that a test makes up. */
export class PageServer {
  readonly #folder: string;
  readonly #graphMs: number;
  readonly #listeners = new Set<(what: Changed) => void>();
  #server: DashboardServer | undefined;
  #port = 0;
  graph: GraphView = shopGraph();
  canaries: readonly Canary[] = [canary()];
  /** Answers in place of the usual ones; an error is thrown. */
  readonly answers = new Map<Question, object>();

  /** @param folder where the built page is @param graphMs how often the graph is told */
  constructor(folder: string, graphMs: number) {
    this.#folder = folder;
    this.#graphMs = graphMs;
  }

  /** Begins to serve, on the port of before where there was one; gives the address. */
  async start(): Promise<string> {
    const page = await readPage(this.#folder);
    const events = { graphMs: this.#graphMs, coalesceMs: 20 };
    this.#server = new DashboardServer({ source: this.#source(), page, logger: silentLogger, events });
    this.#port = await this.#server.start(this.#port);
    return `http://127.0.0.1:${this.#port}/`;
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
  }

  /** Event streams that are open. */
  get streams(): number {
    return this.#server?.streams ?? 0;
  }

  /** Says that something changed. */
  tell(what: Changed): void {
    for (const listener of this.#listeners) listener(what);
  }

  #source(): ViewSource {
    const answer = <T>(question: Question, usual: () => T) => {
      return async (): Promise<T> => {
        const given = this.answers.get(question);
        if (given instanceof Error) throw given;
        return (given as T | undefined) ?? usual();
      };
    };
    return {
      graph: answer('graph', () => this.graph),
      series: async ({ of }) => seriesOf(this.graph, of),
      canaries: answer('canaries', () => ({ canaries: this.canaries })),
      policies: answer('policies', policies),
      refusals: answer('refusals', refusals),
      proxies: answer('proxies', proxies),
      controlPlane: answer('controlPlane', controlPlane),
      onChanged: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
    };
  }
}

/** An error whose sentence the operator tells. */
export function refusal(sentence: string): Error {
  return new RequestError(503, sentence);
}
