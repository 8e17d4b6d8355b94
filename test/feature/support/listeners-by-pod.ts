import { LISTENER_TYPE, type ResourceSource } from '../../../operator/xds/resource.ts';

/** Listeners of the proxies by the name of their pod. */
export function listenersByPod(sources: Readonly<Record<string, ResourceSource>>): ResourceSource {
  return {
    typeUrls: [LISTENER_TYPE],
    lookup: (proxy, typeUrl, name) => sources[proxy.podName]?.lookup(proxy, typeUrl, name),
    wildcard: (proxy, typeUrl) => sources[proxy.podName]?.wildcard(proxy, typeUrl) ?? new Map(),
    onChange: () => () => {},
  };
}
