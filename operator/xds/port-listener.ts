import { create } from '@bufbuild/protobuf';
import { TrafficDirection } from '../../generated/envoy/envoy/config/core/v3/base_pb.js';
import {
  type FilterChain,
  FilterChainSchema,
} from '../../generated/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { ListenerSchema } from '../../generated/envoy/envoy/config/listener/v3/listener_pb.js';
import type { Matcher, Matcher_OnMatch } from '../../generated/envoy/xds/type/matcher/v3/matcher_pb.js';
import { commonRanges, inRange } from './address-range.ts';
import { buildAlpnFilter } from './alpn-filter.ts';
import { buildOutboundManager } from './connection-managers.ts';
import { milliseconds } from './encoding.ts';
import { bindAddresses } from './listener-addresses.ts';
import { buildHttpInspector, SNIFF_TIMEOUT_MS } from './listener-filters.ts';
import { HTTP_CHAIN, PASSTHROUGH_CHAIN, portListener, routeConfiguration } from './names.ts';
import { chooseChain, matchAddress, matchRanges, matchSniffedHttp } from './network-matchers.ts';
import { buildPassthroughChain, buildTcpChain, encodeListener } from './outbound-listener.ts';
import type { OutboundTarget, TcpChain } from './outbound-target.ts';
import type { XdsResource } from './resource.ts';
import { buildStatsLogger, outboundTags } from './stats-logger.ts';

/**
 * The listener for outbound connections to one port: by address, then (where no protocol is declared) by a look at the first bytes. It binds
 * nothing, as connections are handed to it.
 *
 * @param targets on this port, in a fixed order: the first to name an address has it
 */
export function translatePortListener(
  port: number,
  targets: readonly OutboundTarget[],
  dualStack: boolean,
): XdsResource {
  const http = targets.some((target) => target.mode !== 'tcp');
  const addresses = new Map<string, OutboundTarget>();
  for (const target of targets) {
    for (const address of target.addresses) {
      if (!addresses.has(address)) addresses.set(address, target);
    }
  }
  const listener = create(ListenerSchema, {
    name: portListener(port),
    ...bindAddresses(port, dualStack),
    bindToPort: false,
    trafficDirection: TrafficDirection.OUTBOUND,
    filterChains: [
      ...(http ? [buildHttpChain(port)] : []),
      ...tcpChains(addresses.values()).map(buildTcpChain),
      buildPassthroughChain(),
    ],
    filterChainMatcher: buildMatcher(addresses, http),
    listenerFilters: http ? [buildHttpInspector()] : [],
    listenerFiltersTimeout: milliseconds(SNIFF_TIMEOUT_MS),
    continueOnListenerFiltersTimeout: true,
  });
  return encodeListener(listener);
}

function tcpChains(targets: Iterable<OutboundTarget>): TcpChain[] {
  const chains = new Map<string, TcpChain>();
  for (const { chain } of targets) {
    if (chain !== undefined) chains.set(chain.name, chain);
  }
  return [...chains.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * By exact address where connections may be opaque. Addresses declared to be HTTP are many, so they are matched as the block they come from, which
 * stays the same when one more comes. Elsewhere may be pods of headless services, which HTTP finds by host.
 */
function buildMatcher(targets: ReadonlyMap<string, OutboundTarget>, hasHttp: boolean): Matcher {
  const http = chooseChain(HTTP_CHAIN);
  const passthrough = chooseChain(PASSTHROUGH_CHAIN);
  const declared = [...targets].filter(([, target]) => target.mode === 'http').map(([address]) => address);
  const ranges = commonRanges(declared);
  const addresses = new Map<string, Matcher_OnMatch>();
  for (const [address, target] of targets) {
    const tcp = target.chain === undefined ? passthrough : chooseChain(target.chain.name);
    const actions = { http, tcp, sniff: matchSniffedHttp(http, tcp) };
    const covered = target.mode === 'http' && ranges.some((range) => inRange(address, range));
    if (!covered) addresses.set(address, actions[target.mode]);
  }
  const elsewhere = hasHttp ? matchSniffedHttp(http, passthrough) : passthrough;
  return matchAddress(addresses, matchRanges(ranges, http, elsewhere));
}

function buildHttpChain(port: number): FilterChain {
  const manager = buildOutboundManager(`outbound_${port}`, routeConfiguration(port), buildStatsLogger(outboundTags()));
  return create(FilterChainSchema, { name: HTTP_CHAIN, filters: [buildAlpnFilter(), manager] });
}
