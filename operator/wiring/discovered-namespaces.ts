import { type DiscoverySettings, isDiscovered } from '../../api/discovery.ts';
import type { ReadStore } from '../../kube/store.ts';

/** What is read of a Namespace. */
interface LabelledObject {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
}

/** Told of a namespace, and whether it is discovered by now. */
type SwitchListener = (namespace: string, discovered: boolean) => void;

/** The namespaces that the mesh consists of, by their labels as they are now. */
export class DiscoveredNamespaces {
  /** True when that is all of them, whatever comes. */
  readonly everything: boolean;
  readonly #settings: DiscoverySettings;
  readonly #own: string;
  readonly #namespaces: Pick<ReadStore<LabelledObject>, 'get' | 'onChange'>;

  /** @param own the operator's namespace, where replicas find each other */
  constructor(
    settings: DiscoverySettings,
    own: string,
    namespaces: Pick<ReadStore<LabelledObject>, 'get' | 'onChange'>,
  ) {
    this.everything = settings.discoverySelectors.length === 0;
    this.#settings = settings;
    this.#own = own;
    this.#namespaces = namespaces;
  }

  /** Whether a namespace is discovered; '', where objects of the cluster are, always is. */
  has(namespace: string): boolean {
    if (this.everything || namespace === '') return true;
    return this.#judge(namespace, this.#namespaces.get(namespace));
  }

  /** Calls back, from within the change of its labels, with each namespace that is discovered from now on, or not any more. */
  onSwitch(listener: SwitchListener): void {
    if (this.everything) return;
    this.#namespaces.onChange(({ key, object, previous }) => {
      const now = this.#judge(key, object);
      if (now !== this.#judge(key, previous)) listener(key, now);
    });
  }

  #judge(name: string, object: LabelledObject | undefined): boolean {
    return name === this.#own || isDiscovered(this.#settings, name, object && (object.metadata?.labels ?? {}));
  }
}

/** The namespace of an object by its key in a store; '' for one of the cluster. */
export function namespaceOf(key: string): string {
  const slash = key.indexOf('/');
  return slash < 0 ? '' : key.slice(0, slash);
}
