import { create } from '@bufbuild/protobuf';
import type { PathNormalization } from '../../api/mesh-config.ts';
import type { AccessLog } from '../../generated/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import { AddressSchema } from '../../generated/envoy/envoy/config/core/v3/address_pb.js';
import { TrafficDirection } from '../../generated/envoy/envoy/config/core/v3/base_pb.js';
import {
  type FilterChain,
  FilterChainSchema,
} from '../../generated/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { ListenerSchema } from '../../generated/envoy/envoy/config/listener/v3/listener_pb.js';
import type { OutboundPolicy } from '../mesh/snapshot.ts';
import { buildAccessLoggers } from './access-loggers.ts';
import { buildOutboundManager } from './connection-managers.ts';
import { milliseconds } from './encoding.ts';
import { bindAddresses } from './listener-addresses.ts';
import { buildHttpInspector, buildTlsInspector, OUTBOUND_SILENCE_MS } from './listener-filters.ts';
import { HTTP_CHAIN, portListener, routeConfiguration } from './names.ts';
import { BLOCK, buildTcpChain, encodeListener, tcpStatsOf, unknownChain } from './outbound-listener.ts';
import type { OutboundTarget } from './outbound-target.ts';
import type { OutboundTelemetry } from './outbound-telemetry.ts';
import { PortMatcher } from './port-matcher.ts';
import type { XdsResource } from './resource.ts';
import { buildStatsLoggers, outboundTags } from './stats-logger.ts';
import { buildTracing, type ManagerTracing } from './tracing.ts';

/** The same for all ports; nobody alters it. */
const STATS = buildStatsLoggers(outboundTags());

/** Whom the listener of a port is for. */
export interface PortListenerOptions {
  readonly dualStack: boolean;
  /** They ask for clusters when these are first used. */
  readonly onDemand?: boolean;
  /** What becomes of connections to where the mesh knows nothing. */
  readonly outboundPolicy: OutboundPolicy;
  /** Of paths; absent: `BASE`. */
  readonly normalization?: PathNormalization | undefined;
  /** What is told of requests and connections; absent: nothing but metrics. */
  readonly telemetry?: OutboundTelemetry | undefined;
  /** A Sidecar's egress listener that clients connect to themselves: where, and its name. `unix://PATH` is a socket file. */
  readonly bind?: { readonly address: string; readonly name: string };
}

/**
 * The listener for outbound connections to one port: by address, then by a look at the first bytes where no protocol is declared, or no address
 * tells hosts apart. It binds nothing, as connections are handed to it, unless `bind` says where; there the address says nothing, so that of
 * several services of opaque TCP the first has all connections.
 *
 * @param targets on this port, in a fixed order: the first to name an address has it
 */
export function translatePortListener(
  port: number,
  targets: readonly OutboundTarget[],
  { dualStack, onDemand = false, outboundPolicy, normalization, telemetry, bind }: PortListenerOptions,
): XdsResource {
  // What comes to a bound listener has nowhere else to go, for passed through it would come back to it.
  const unknown = bind === undefined ? unknownChain(outboundPolicy) : BLOCK;
  const choice = new PortMatcher(targets, unknown);
  const { matcher, chains, http, sniffs } = bind === undefined ? choice.byAddress() : choice.bound();
  const accessLogs = telemetry === undefined ? [] : buildAccessLoggers(telemetry.client.accessLogs, telemetry);
  const tagged = telemetry?.client.tagged;
  const stats = tagged === undefined ? STATS : buildStatsLoggers(outboundTags(), tagged);
  const tcpStats = tcpStatsOf(tagged);
  const tracing = telemetry && buildTracing(telemetry.client.tracing, telemetry);
  const others = chains.filter(({ name }) => name !== unknown.name);
  const listener = create(ListenerSchema, {
    name: bind?.name ?? portListener(port),
    ...(bind === undefined ? bindAddresses(port, dualStack) : { address: boundAddress(bind.address, port) }),
    bindToPort: bind !== undefined,
    trafficDirection: TrafficDirection.OUTBOUND,
    filterChains: [
      ...(http ? [buildHttpChain(port, onDemand, normalization, [...stats, ...accessLogs], tracing)] : []),
      ...others.map((chain) => buildTcpChain(chain, onDemand, accessLogs, tcpStats)),
      buildTcpChain(unknown, false, accessLogs, tcpStats),
    ],
    filterChainMatcher: matcher,
    // In this order: what is TLS is not looked at for HTTP.
    listenerFilters: [...(sniffs.tls ? [buildTlsInspector()] : []), ...(sniffs.http ? [buildHttpInspector()] : [])],
    listenerFiltersTimeout: milliseconds(OUTBOUND_SILENCE_MS),
    continueOnListenerFiltersTimeout: true,
  });
  return encodeListener(listener);
}

function boundAddress(address: string, port: number) {
  const path = /^unix:\/\/(.+)$/.exec(address)?.[1];
  return create(AddressSchema, {
    address:
      path === undefined
        ? { case: 'socketAddress', value: { address, portSpecifier: { case: 'portValue', value: port } } }
        : { case: 'pipe', value: { path } },
  });
}

function buildHttpChain(
  port: number,
  onDemand: boolean,
  normalization: PathNormalization | undefined,
  loggers: readonly AccessLog[],
  tracing: ManagerTracing | undefined,
): FilterChain {
  const routes = routeConfiguration(port);
  const manager = buildOutboundManager(`outbound_${port}`, routes, loggers, onDemand, normalization, tracing);
  return create(FilterChainSchema, { name: HTTP_CHAIN, filters: [manager] });
}
