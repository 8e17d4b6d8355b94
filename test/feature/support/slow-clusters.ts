import { CLUSTER_TYPE, type ResourceChange, type ResourceSource } from '../../../operator/xds/resource.ts';

/**
 * A source whose clusters arrive some time after a proxy first asks for them one by one, so that what happens meanwhile can be tried.
 * @param delayMs gives that time
 */
export function slowClusters(source: ResourceSource, delayMs: () => number): ResourceSource {
  const asked = new Set<string>();
  const ready = new Set<string>();
  const listeners = new Set<(change: ResourceChange) => void>();
  const arrives = (name: string): void => {
    ready.add(name);
    const affected = new Map([[CLUSTER_TYPE, new Set([name])]]);
    for (const listener of listeners) listener({ affected: () => affected });
  };
  return {
    ...source,
    lookup(proxy, typeUrl, name, held) {
      const found = source.lookup(proxy, typeUrl, name, held);
      const isSlow = typeUrl === CLUSTER_TYPE && source.inWildcard?.(proxy, typeUrl, name) === false;
      if (found === undefined || !isSlow || ready.has(name)) return found;
      if (!asked.has(name)) setTimeout(() => arrives(name), delayMs()).unref();
      asked.add(name);
      return undefined;
    },
    isPending: (_, typeUrl, name) => typeUrl === CLUSTER_TYPE && asked.has(name) && !ready.has(name),
    onChange(listener) {
      listeners.add(listener);
      const end = source.onChange(listener);
      return () => {
        listeners.delete(listener);
        end();
      };
    },
  };
}
