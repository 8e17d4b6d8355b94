import { labelTerms, matchSelector, selectorTerm } from '../mesh/selector.ts';
import type { Hostname, MeshService, Workload } from '../mesh/snapshot.ts';

/** Tells which Services select pods. Each is found by one label of its selector, so that no pod is held against all of them. */
export class ServiceSelectors {
  readonly #byTerm = new Map<string, MeshService[]>();

  constructor(services: Iterable<MeshService>) {
    for (const service of services) {
      for (const term of selectorTerm(service.namespace, service.selector)) {
        const alike = this.#byTerm.get(term);
        if (alike === undefined) this.#byTerm.set(term, [service]);
        else alike.push(service);
      }
    }
  }

  /** Hostnames of the Services that select any of some pods of a namespace, in order. */
  hostnames(namespace: string, pods: Iterable<Pick<Workload, 'labels'>>): Hostname[] {
    const selecting = new Set<Hostname>();
    for (const { labels } of pods) {
      for (const { hostname, selector } of labelTerms(namespace, labels).flatMap(
        (term) => this.#byTerm.get(term) ?? [],
      ))
        if (!selecting.has(hostname) && matchSelector(selector, labels)) selecting.add(hostname);
    }
    return [...selecting].sort();
  }
}
