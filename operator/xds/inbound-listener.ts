import { create, toBinary } from '@bufbuild/protobuf';
import { TrafficDirection } from '../../generated/envoy/envoy/config/core/v3/base_pb.js';
import { ListenerSchema } from '../../generated/envoy/envoy/config/listener/v3/listener_pb.js';
import { INBOUND_PORT } from '../../proxy/ports.ts';
import { buildConnectionRefusalLogs } from './connection-refusals.ts';
import { encodeResource, milliseconds } from './encoding.ts';
import { buildInboundChains } from './inbound-chains.ts';
import type { InboundShape } from './inbound-shape.ts';
import { bindAddresses } from './listener-addresses.ts';
import { buildHttpInspector, buildOriginalDst, buildTlsInspector, INBOUND_SILENCE_MS } from './listener-filters.ts';
import { INBOUND_LISTENER } from './names.ts';
import { LISTENER_TYPE, type XdsResource } from './resource.ts';

/** The listener that all redirected inbound connections reach. */
export function translateInboundListener(shape: InboundShape): XdsResource {
  const listener = create(ListenerSchema, {
    name: INBOUND_LISTENER,
    ...bindAddresses(INBOUND_PORT, shape.dualStack),
    trafficDirection: TrafficDirection.INBOUND,
    filterChains: buildInboundChains(shape),
    accessLog: buildConnectionRefusalLogs(shape.boundsRefusalLog),
    listenerFilters: [buildOriginalDst(), buildTlsInspector(), buildHttpInspector()],
    listenerFiltersTimeout: milliseconds(INBOUND_SILENCE_MS),
    continueOnListenerFiltersTimeout: true,
  });
  return encodeResource(LISTENER_TYPE, listener.name, toBinary(ListenerSchema, listener));
}
