import { create, fromBinary, fromJson, type Registry, toBinary, toJson } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import { AddressSchema } from '../../../generated/envoy/envoy/config/core/v3/address_pb.js';
import {
  type ListenerFilter,
  ListenerFilterSchema,
} from '../../../generated/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { type Listener, ListenerSchema } from '../../../generated/envoy/envoy/config/listener/v3/listener_pb.js';
import { ProxyProtocolSchema } from '../../../generated/envoy/envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol_pb.js';
import { ResourceSchema } from '../../../generated/envoy/envoy/service/discovery/v3/discovery_pb.js';
import { encodeResource, milliseconds } from '../../../operator/xds/encoding.ts';
import { INBOUND_LISTENER } from '../../../operator/xds/names.ts';
import {
  LISTENER_TYPE,
  type ProxyIdentity,
  type ResourceSource,
  type XdsResource,
} from '../../../operator/xds/resource.ts';
import { envoyRegistry } from '../../../operator/xds/testing/envoy-registry.ts';
import { REFUSAL_BUDGET_FIXTURE } from '../../../operator/xds/testing/static-bootstrap.ts';
import type { XdsCache } from '../../../operator/xds/xds-cache.ts';
import { REFUSAL_BUDGET_PATH } from '../../../proxy/refusal-budget.ts';
import type { EnvoyProcess } from './envoy-process.ts';

const SPEAK_MS = 30_000;
const LISTENS_MS = 30_000;

/** Where an inbound listener is made to listen. */
interface Place {
  readonly address: string;
  readonly port: number;
  /** Whether connections are made to another place than this, and say so. */
  readonly isTold: boolean;
}

/**
 * The inbound listener of a workload, and no other, made to listen on a port of loopback. Connections say first, by the PROXY protocol, where they were
 * made to, as redirection would; the filter that asks the kernel for that is left out. A busy test may take longer to speak than the listener waits,
 * so that it would miss this. All else is as the mesh has it.
 */
export function boundInbound(
  cache: Pick<XdsCache, 'lookup'>,
  at: number | ((proxy: ProxyIdentity) => number),
): ResourceSource {
  const portOf = typeof at === 'number' ? () => at : at;
  return inboundAt(cache, (proxy) => ({ address: '127.0.0.1', port: portOf(proxy), isTold: true }));
}

/** The same, at the pod's own address and the port of its application, so that callers come to it straight: nobody has to say where a connection was made to. */
export function directInbound(
  cache: Pick<XdsCache, 'lookup'>,
  placeOf: (proxy: ProxyIdentity) => Omit<Place, 'isTold'>,
): ResourceSource {
  return inboundAt(cache, (proxy) => ({ ...placeOf(proxy), isTold: false }));
}

function inboundAt(cache: Pick<XdsCache, 'lookup'>, placeOf: (proxy: ProxyIdentity) => Place): ResourceSource {
  const made = new WeakMap<XdsResource, Map<string, XdsResource>>();
  const lookup = (proxy: ProxyIdentity, typeUrl: string, name: string): XdsResource | undefined => {
    const listener = name === INBOUND_LISTENER ? cache.lookup(proxy, typeUrl, name) : undefined;
    if (listener === undefined) return undefined;
    const place = placeOf(proxy);
    const key = `${place.address}:${place.port}`;
    const places = made.get(listener) ?? new Map<string, XdsResource>();
    made.set(listener, places);
    const known = places.get(key) ?? bound(listener, place);
    places.set(key, known);
    return known;
  };
  return {
    typeUrls: [LISTENER_TYPE],
    lookup,
    wildcard: (proxy, typeUrl) => {
      const listener = lookup(proxy, typeUrl, INBOUND_LISTENER);
      return new Map(listener === undefined ? [] : [[listener.name, listener]]);
    },
    // The cache tells of changes of all types, by its own source.
    onChange: () => () => {},
  };
}

function bound({ name, bytes }: XdsResource, { address, port, isTold }: Place): XdsResource {
  const message = fromBinary(ListenerSchema, fromBinary(ResourceSchema, bytes).resource?.value ?? new Uint8Array());
  message.address = create(AddressSchema, {
    address: {
      case: 'socketAddress',
      value: { address, portSpecifier: { case: 'portValue', value: port } },
    },
  });
  message.additionalAddresses = [];
  message.listenerFilters = [
    ...(isTold ? [proxyProtocol()] : []),
    ...message.listenerFilters.filter((filter) => !filter.name.endsWith('original_dst')),
  ];
  if (isTold) message.listenerFiltersTimeout = milliseconds(SPEAK_MS);
  return encodeResource(LISTENER_TYPE, name, toBinary(ListenerSchema, withFiles(message)));
}

/** In place of the file that the init container writes, the one that tests have. */
function withFiles(message: Listener): Listener {
  registry ??= envoyRegistry();
  const text = JSON.stringify(toJson(ListenerSchema, message, { registry }));
  if (!text.includes(REFUSAL_BUDGET_PATH)) return message;
  const json = JSON.parse(text.replaceAll(REFUSAL_BUDGET_PATH, REFUSAL_BUDGET_FIXTURE));
  return fromJson(ListenerSchema, json, { registry });
}

let registry: Registry | undefined;

function proxyProtocol(): ListenerFilter {
  const value = anyPack(ProxyProtocolSchema, create(ProxyProtocolSchema));
  return create(ListenerFilterSchema, {
    name: 'envoy.filters.listener.proxy_protocol',
    configType: { case: 'typedConfig', value },
  });
}

/** Waits until a sidecar listens at its port of loopback. @throws {Error} when it does not in half a minute */
export async function untilListening(envoy: EnvoyProcess, at: number): Promise<void> {
  for (const end = performance.now() + LISTENS_MS; performance.now() < end; ) {
    const listeners = await envoy.admin('/listeners?format=text');
    if (listeners.includes(`:${at}`) && (await envoy.admin('/ready')).startsWith('LIVE')) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`the sidecar does not listen: ${envoy.log()}`);
}
