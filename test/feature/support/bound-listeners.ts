import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { ListenerSchema } from '../../../generated/envoy/envoy/config/listener/v3/listener_pb.js';
import { ResourceSchema } from '../../../generated/envoy/envoy/service/discovery/v3/discovery_pb.js';
import { encodeResource } from '../../../operator/xds/encoding.ts';
import { portListener } from '../../../operator/xds/names.ts';
import {
  LISTENER_TYPE,
  type ProxyIdentity,
  type ResourceSource,
  type XdsResource,
} from '../../../operator/xds/resource.ts';
import type { XdsCache } from '../../../operator/xds/xds-cache.ts';

/**
 * The mesh's own listeners of some ports, made to listen there: with addresses of loopback (127.1.0.1) as those of Services, connections reach them
 * as they would by redirection.
 * @param ports that are free, and the mesh's
 * @param others listeners of the test's own
 */
export function boundListeners(cache: XdsCache, ports: readonly number[], others?: ResourceSource): ResourceSource {
  const names = ports.map(portListener);
  const made = new WeakMap<XdsResource, XdsResource>();
  const lookup = (proxy: ProxyIdentity, typeUrl: string, name: string): XdsResource | undefined => {
    if (!names.includes(name)) return others?.lookup(proxy, typeUrl, name);
    const listener = cache.lookup(proxy, typeUrl, name);
    if (listener === undefined) return undefined;
    const known = made.get(listener) ?? bound(listener);
    made.set(listener, known);
    return known;
  };
  return {
    typeUrls: [LISTENER_TYPE],
    lookup,
    wildcard: (proxy, typeUrl) =>
      new Map([
        ...(others?.wildcard(proxy, typeUrl) ?? []),
        ...names.flatMap((name) => lookup(proxy, typeUrl, name) ?? []).map((one) => [one.name, one] as const),
      ]),
    // The cache tells of changes of all types, by its own source.
    onChange: (listener) => others?.onChange(listener) ?? (() => {}),
  };
}

/** By the mesh's version it is asked who has acknowledged it. */
function bound({ name, bytes, version }: XdsResource): XdsResource {
  const message = fromBinary(ListenerSchema, fromBinary(ResourceSchema, bytes).resource?.value ?? new Uint8Array());
  message.bindToPort = true;
  return encodeResource(LISTENER_TYPE, name, toBinary(ListenerSchema, message), version);
}
