import type { Answer, ProxyIdentity, ResourceChange, ResourceSource, XdsResource } from '../xds/resource.ts';

/** All sources as one: which of them answers for a type. */
export class ResourceRegistry {
  private readonly byType = new Map<string, ResourceSource>();
  private readonly sources: readonly ResourceSource[];

  /** @throws Error when two sources claim one type */
  constructor(sources: readonly ResourceSource[]) {
    this.sources = sources;
    for (const source of sources) {
      for (const typeUrl of source.typeUrls) {
        if (this.byType.has(typeUrl)) {
          throw new Error(`resource type ${typeUrl} has two sources; give each type one source`);
        }
        this.byType.set(typeUrl, source);
      }
    }
  }

  /** Whether there is a source for a type. */
  has(typeUrl: string): boolean {
    return this.byType.has(typeUrl);
  }

  /** Names of everything that a wildcard subscription gets. */
  wildcardNames(proxy: ProxyIdentity, typeUrl: string): Iterable<string> {
    const source = this.byType.get(typeUrl);
    return source?.wildcardNames?.(proxy, typeUrl) ?? source?.wildcard(proxy, typeUrl).keys() ?? [];
  }

  /** One resource by name. @param held version that the proxy has of it; absent: none */
  lookup(proxy: ProxyIdentity, typeUrl: string, name: string, held?: string): XdsResource | undefined {
    return this.byType.get(typeUrl)?.lookup(proxy, typeUrl, name, held);
  }

  /** Names of what anybody may have in a collection. */
  members(typeUrl: string, collection: string): Iterable<string> {
    return this.byType.get(typeUrl)?.members?.(typeUrl, collection) ?? [];
  }

  /** Whether a name without a resource may have one in a moment; `held`: what the proxy has of it is good until then. */
  isPending(proxy: ProxyIdentity, typeUrl: string, name: string): boolean | 'held' {
    return this.byType.get(typeUrl)?.isPending?.(proxy, typeUrl, name) ?? false;
  }

  /** Whether a proxy is sent resources of a type one by one. */
  isOneByOne(proxy: ProxyIdentity, typeUrl: string): boolean {
    return this.byType.get(typeUrl)?.isOneByOne?.(proxy, typeUrl) ?? false;
  }

  /** What a proxy needs that asks for a name. */
  answer(proxy: ProxyIdentity, typeUrl: string, asked: string): Answer | undefined {
    return this.byType.get(typeUrl)?.answer?.(proxy, typeUrl, asked);
  }

  /** Number of the state of what answers what. */
  answersState(typeUrl: string): number {
    return this.byType.get(typeUrl)?.answersState?.(typeUrl) ?? 0;
  }

  /** Names of what a proxy must have along with a resource. */
  companions(proxy: ProxyIdentity, typeUrl: string, name: string): Iterable<string> {
    return this.byType.get(typeUrl)?.companions?.(proxy, typeUrl, name) ?? [];
  }

  /** Name of the resource in a collection that answers whatever no other does. */
  fallback(typeUrl: string, collection: string): string | undefined {
    return this.byType.get(typeUrl)?.fallback?.(typeUrl, collection);
  }

  /** One resource by name, as a wildcard subscription gets it. What many streams ask at each change must not build whole maps. */
  lookupInWildcard(proxy: ProxyIdentity, typeUrl: string, name: string): XdsResource | undefined {
    const source = this.byType.get(typeUrl);
    const covered = source?.inWildcard?.(proxy, typeUrl, name) ?? true;
    return covered ? source?.lookup(proxy, typeUrl, name) : undefined;
  }

  /** Calls back at each change of any source; gives a function that ends that. */
  onChange(listener: (change: ResourceChange) => void): () => void {
    const ends = this.sources.map((source) => source.onChange(listener));
    return () => {
      for (const end of ends) {
        end();
      }
    };
  }
}
