import {
  type ProxyIdentity,
  type ResourceChange,
  type ResourceSource,
  SECRET_TYPE,
  type XdsResource,
} from '../../../operator/xds/resource.ts';

/** A source of secrets that gives none until it is told to: as an operator that has much to sign. */
export class HeldSecrets implements ResourceSource {
  readonly typeUrls = [SECRET_TYPE];
  readonly #source: ResourceSource;
  readonly #listeners = new Set<(change: ResourceChange) => void>();
  readonly #asked = new Set<string>();
  #held = true;

  constructor(source: ResourceSource) {
    this.#source = source;
  }

  /** Names that were asked for. */
  get asked(): ReadonlySet<string> {
    return this.#asked;
  }

  release(): void {
    this.#held = false;
    const affected = new Map([[SECRET_TYPE, this.#asked]]);
    for (const listener of this.#listeners) listener({ affected: () => affected });
  }

  wildcard(): ReadonlyMap<string, XdsResource> {
    return new Map();
  }

  lookup(proxy: ProxyIdentity, typeUrl: string, name: string): XdsResource | undefined {
    this.#asked.add(name);
    return this.#held ? undefined : this.#source.lookup(proxy, typeUrl, name);
  }

  isPending(proxy: ProxyIdentity, typeUrl: string, name: string): boolean {
    return this.#held || this.#source.isPending?.(proxy, typeUrl, name) === true;
  }

  onChange(listener: (change: ResourceChange) => void): () => void {
    const end = this.#source.onChange(listener);
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      end();
    };
  }
}
