import type { Destination, HttpRouteDestination } from '../../api/http-destination.ts';
import type { HeaderOperations as HeaderOperationsSpec, Headers } from '../../api/http-headers.ts';
import { resolveHostname } from './hostname.ts';
import type { Backend, HeaderOperations, HeaderRules, WeightedBackend } from './route-rule.ts';
import type { MeshSettings } from './snapshot.ts';

/** A place in a VirtualService that names a service, a port or a subset. */
export interface Reference {
  /** As in `spec.http[0].route[1].destination`. */
  readonly field: string;
  readonly backend: Backend;
}

/** Reads the parts of one VirtualService, and takes down what it refers to. */
export class DestinationReader {
  /** Every destination that was read, also those that get no traffic. */
  readonly references: Reference[] = [];
  readonly #settings: MeshSettings;
  readonly #namespace: string;

  /** @param namespace where short names are resolved */
  constructor(settings: MeshSettings, namespace: string) {
    this.#settings = settings;
    this.#namespace = namespace;
  }

  /** Reads a Destination. */
  read(field: string, { host, subset, port }: Destination): Backend {
    const backend: Backend = {
      hostname: resolveHostname(this.#settings, this.#namespace, host),
      ...(subset ? { subset } : {}),
      ...(port?.number ? { port: port.number } : {}),
    };
    this.references.push({ field, backend });
    return backend;
  }

  /**
   * Reads the destinations of a rule. The only one gets all, whatever its weight; of several, those without a weight above 0 get nothing
   * and are left out.
   * @param field path of the rule
   */
  readWeighted(field: string, route: readonly HttpRouteDestination[] = []): WeightedBackend[] {
    const backends = route.map(({ destination, weight = 0, headers }, index): WeightedBackend => {
      const backend = this.read(`${field}.route[${index}].destination`, destination);
      return { ...backend, weight, ...(headers === undefined ? {} : { headers: readHeaders(headers) }) };
    });
    const [only] = backends;
    if (only !== undefined && backends.length === 1) return [{ ...only, weight: only.weight || 1 }];
    return backends.filter(({ weight }) => weight > 0);
  }
}

/** Reads what is done to headers (Headers). */
export function readHeaders({ request, response }: Headers): HeaderRules {
  return { request: readOperations(request), response: readOperations(response) };
}

function readOperations({ set = {}, add = {}, remove = [] }: HeaderOperationsSpec = {}): HeaderOperations {
  return { set: Object.entries(set), add: Object.entries(add), remove };
}
