import type { Growth } from '../telemetry/history/traffic-history.ts';

interface OwnTime {
  answers: number;
  answering: number;
  waiting: number;
}

/**
 * What workloads take themselves to answer. Both sides are told by a workload's own sidecar in one report: what its callers see has the network in it, and how
 * long they waited for a connection, and their reports come when they come.
 */
export class OwnTimes {
  readonly #nodes = new Map<string, OwnTime>();

  add({ counter, by }: Growth): void {
    if (counter.kind !== 'own time') return;
    const time = this.#nodes.get(counter.node) ?? { answers: 0, answering: 0, waiting: 0 };
    time[counter.of] += by;
    this.#nodes.set(counter.node, time);
  }

  /** In ms a request; undefined where nothing was measured. */
  of(node: string): number | undefined {
    const { answers, answering, waiting } = this.#nodes.get(node) ?? { answers: 0, answering: 0, waiting: 0 };
    return answers > 0 && answering > 0 ? Math.max(0, answering - waiting) / answers : undefined;
  }
}
