import { create, toBinary } from '@bufbuild/protobuf';
import { TrafficDirection } from '../../generated/envoy/envoy/config/core/v3/base_pb.js';
import {
  type FilterChain,
  FilterChainSchema,
} from '../../generated/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { ListenerSchema } from '../../generated/envoy/envoy/config/listener/v3/listener_pb.js';
import type { Matcher, Matcher_OnMatch } from '../../generated/envoy/xds/type/matcher/v3/matcher_pb.js';
import { OUTBOUND_PORT } from '../../proxy/ports.ts';
import { buildAlpnFilter } from './alpn-filter.ts';
import { buildOutboundManager } from './connection-managers.ts';
import { encodeResource, milliseconds } from './encoding.ts';
import { bindAddresses } from './listener-addresses.ts';
import { buildHttpInspector, buildOriginalDst, SNIFF_TIMEOUT_MS } from './listener-filters.ts';
import {
  BLACK_HOLE_CLUSTER,
  BLOCK_CHAIN,
  httpChain,
  OUTBOUND_LISTENER,
  PASSTHROUGH_CHAIN,
  PASSTHROUGH_CLUSTER,
  routeConfiguration,
} from './names.ts';
import { chooseChain, matchAddress, matchPort, matchSniffedHttp } from './network-matchers.ts';
import type { OutboundTarget, TcpChain } from './outbound-target.ts';
import { LISTENER_TYPE, type XdsResource } from './resource.ts';
import { buildStatsLogger, outboundTags } from './stats-logger.ts';
import { buildTcpProxy } from './tcp-proxies.ts';

interface PortPlan {
  http: boolean;
  readonly addresses: Map<string, OutboundTarget>;
}

/**
 * The listener that all redirected outbound connections reach: by port, then address, then (where no protocol is declared) by a look at the
 * first bytes. It is the same for all proxies of an address family.
 *
 * @param targets of all services, in a fixed order: the first to name an address and port has it
 * @param dualStack listens on IPv6 too
 */
export function translateOutboundListener(targets: Iterable<OutboundTarget>, dualStack: boolean): XdsResource {
  const plans = planPorts(targets);
  const httpPorts = [...plans].filter(([, plan]) => plan.http).map(([port]) => port);
  const chains: FilterChain[] = [
    ...httpPorts.map(buildHttpChain),
    ...tcpChains(plans).map(buildTcpChain),
    buildTcpChain({ name: PASSTHROUGH_CHAIN, shares: [{ cluster: PASSTHROUGH_CLUSTER, weight: 100 }] }),
    buildTcpChain({ name: BLOCK_CHAIN, shares: [{ cluster: BLACK_HOLE_CLUSTER, weight: 100 }] }),
  ];
  const listener = create(ListenerSchema, {
    name: OUTBOUND_LISTENER,
    ...bindAddresses(OUTBOUND_PORT, dualStack),
    trafficDirection: TrafficDirection.OUTBOUND,
    filterChains: chains,
    filterChainMatcher: buildMatcher(plans),
    listenerFilters: [buildOriginalDst(), ...(httpPorts.length > 0 ? [buildHttpInspector(httpPorts)] : [])],
    listenerFiltersTimeout: milliseconds(SNIFF_TIMEOUT_MS),
    continueOnListenerFiltersTimeout: true,
  });
  return encodeResource(LISTENER_TYPE, listener.name, toBinary(ListenerSchema, listener));
}

function planPorts(targets: Iterable<OutboundTarget>): Map<number, PortPlan> {
  const plans = new Map<number, PortPlan>();
  for (const target of targets) {
    // A connection to our own port was not redirected; see the block chain.
    if (target.port === OUTBOUND_PORT) continue;
    const plan = plans.get(target.port) ?? { http: false, addresses: new Map<string, OutboundTarget>() };
    plans.set(target.port, plan);
    plan.http ||= target.mode !== 'tcp';
    for (const address of target.addresses) {
      if (!plan.addresses.has(address)) plan.addresses.set(address, target);
    }
  }
  return new Map([...plans].sort(([a], [b]) => a - b));
}

function tcpChains(plans: ReadonlyMap<number, PortPlan>): TcpChain[] {
  const chains = new Map<string, TcpChain>();
  for (const plan of plans.values()) {
    for (const { chain } of plan.addresses.values()) {
      if (chain !== undefined) chains.set(chain.name, chain);
    }
  }
  return [...chains.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function buildMatcher(plans: ReadonlyMap<number, PortPlan>): Matcher {
  const passthrough = chooseChain(PASSTHROUGH_CHAIN);
  const ports = new Map<number, Matcher_OnMatch>([[OUTBOUND_PORT, chooseChain(BLOCK_CHAIN)]]);
  for (const [port, plan] of plans) {
    const http = chooseChain(httpChain(port));
    const addresses = new Map<string, Matcher_OnMatch>();
    for (const [address, target] of plan.addresses) {
      const opaque = target.chain === undefined ? passthrough : chooseChain(target.chain.name);
      const actions = { http, tcp: opaque, sniff: matchSniffedHttp(http, opaque) };
      addresses.set(address, actions[target.mode]);
    }
    // Unknown addresses may be pods of headless services, which are found by host.
    ports.set(port, matchAddress(addresses, plan.http ? matchSniffedHttp(http, passthrough) : passthrough));
  }
  return matchPort(ports, passthrough);
}

function buildHttpChain(port: number): FilterChain {
  const name = httpChain(port);
  const manager = buildOutboundManager(`outbound_${port}`, routeConfiguration(port), buildStatsLogger(outboundTags()));
  return create(FilterChainSchema, { name, filters: [buildAlpnFilter(), manager] });
}

function buildTcpChain(chain: TcpChain): FilterChain {
  return create(FilterChainSchema, { name: chain.name, filters: [buildTcpProxy(chain.name, chain.shares)] });
}
