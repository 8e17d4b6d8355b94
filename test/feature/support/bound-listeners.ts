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
 */
export function boundListeners(cache: XdsCache, ports: readonly number[]): ResourceSource {
  const names = ports.map(portListener);
  const made = new WeakMap<XdsResource, XdsResource>();
  const lookup = (proxy: ProxyIdentity, typeUrl: string, name: string): XdsResource | undefined => {
    const listener = names.includes(name) ? cache.lookup(proxy, typeUrl, name) : undefined;
    if (listener === undefined) return undefined;
    const known = made.get(listener) ?? bound(listener);
    made.set(listener, known);
    return known;
  };
  return {
    typeUrls: [LISTENER_TYPE],
    lookup,
    wildcard: (proxy, typeUrl) =>
      new Map(names.flatMap((name) => lookup(proxy, typeUrl, name) ?? []).map((one) => [one.name, one])),
    // The cache tells of changes of all types, by its own source.
    onChange: () => () => {},
  };
}

function bound({ name, bytes }: XdsResource): XdsResource {
  const message = fromBinary(ListenerSchema, fromBinary(ResourceSchema, bytes).resource?.value ?? new Uint8Array());
  message.bindToPort = true;
  return encodeResource(LISTENER_TYPE, name, toBinary(ListenerSchema, message));
}
