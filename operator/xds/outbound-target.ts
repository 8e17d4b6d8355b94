import { isDeclaredHttp, isHttp, isTcp } from '../mesh/protocol.ts';
import type { Backend, TcpRule, TlsRule } from '../mesh/route-rule.ts';
import type { Endpoint, MeshService, ServicePort } from '../mesh/snapshot.ts';
import { acceptsMeshTls, type Share } from './destination.ts';
import type { ResolvedBackend } from './http-route-context.ts';
import { podChain, podCluster, tcpChain } from './names.ts';
import { describeTcpChain, routeOpaque } from './outbound-target-rules.ts';

/** A filter chain for opaque connections. */
export interface TcpChain {
  readonly name: string;
  /** The name, unless said otherwise. */
  readonly statPrefix?: string;
  readonly shares: readonly Share[];
  /** The client's address chooses the endpoint. */
  readonly hashesSource?: true;
  /** In place of the default; 0: never. */
  readonly idleTimeoutMs?: number;
  readonly maxConnectionDurationMs?: number;
}

/** A chain for some of the opaque connections; all of the conditions must hold, and there is at least one. */
export interface ConditionalChain {
  readonly chain: TcpChain;
  /** Names in the TLS handshake, any of them, exact or `*.` in front; empty: whatever comes, TLS or not. */
  readonly serverNames: readonly string[];
  /** Blocks of destination addresses, any of them; empty: all. */
  readonly subnets: readonly string[];
}

/** What becomes of connections to one port of some addresses. Plain data, so that two can be compared as JSON. */
export interface OutboundTarget {
  readonly port: number;
  /** Cluster IPs, or pod IPs of a headless service. */
  readonly addresses: readonly string[];
  /** Blocks of addresses of a ServiceEntry, e.g. `10.0.0.0/8`. */
  readonly blocks?: readonly string[];
  /** It has no address, and takes connections to any that nothing else is at; with a `serverName`, those that name it. */
  readonly anywhere?: true;
  /** The name that TLS handshakes with it have, exact or `*.` in front: of ports that are declared to be TLS. */
  readonly serverName?: string;
  /** `http`: HTTP whatever comes; `sniff`: HTTP when it looks like it; `tcp`: opaque without a look. */
  readonly mode: 'http' | 'sniff' | 'tcp';
  /** Tried in order before `chain`; the more specific name first. */
  readonly rules?: readonly ConditionalChain[];
  /** Takes what is not HTTP and no rule does; absent in mode `http`. */
  readonly chain?: TcpChain;
  /** Pods of a headless service that are reached as they are; the rules are for them too. */
  readonly plainPods?: readonly string[];
  /** Takes the place of `chain` where the address says nothing, as it is that of the listener; null: nothing can. */
  readonly boundChain?: TcpChain | null;
}

/** What a target depends on. */
export interface TargetInput {
  readonly service: MeshService;
  readonly port: ServicePort;
  readonly endpoints: readonly Endpoint[];
  /** Where connections go that no rule takes. */
  readonly backend: ResolvedBackend;
  /** Of the routes for this host, cut to this port and client, in order. */
  readonly tcp: readonly TcpRule[];
  readonly tls: readonly TlsRule[];
  readonly resolve: (backend: Backend) => ResolvedBackend;
  /** The client's sidecar answers DNS: a host without addresses is reached at its `dnsAddress` alone. */
  readonly dnsCapture: boolean;
}

/** Addresses that stand for all there are. */
const UNSPECIFIED = new Set(['0.0.0.0', '::']);

/**
 * What one port of a service asks of the outbound listener; undefined when nothing. Hosts without addresses are found by what connections say:
 * HTTP by its Host, TLS by its server name; a ServiceEntry of TCP without addresses gets all of the port that nothing else is at.
 */
export function buildOutboundTarget(input: TargetInput): OutboundTarget | undefined {
  const { service, port, dnsCapture } = input;
  if (service.kind === 'ExternalName') return undefined;
  if (service.kind === 'Headless') return headlessTarget(input);
  const own = service.addresses.filter((address) => !UNSPECIFIED.has(address));
  const all = own.length === 0 && dnsCapture && service.dnsAddress !== undefined ? [service.dnsAddress] : own;
  const blocks = all.filter((address) => address.includes('/'));
  const place = {
    port: port.port,
    addresses: all.filter((address) => !address.includes('/')),
    ...(blocks.length === 0 ? {} : { blocks }),
  };
  if (isDeclaredHttp(port.protocol)) return { ...place, mode: 'http' };
  if (!isTcp(port.protocol)) return undefined;
  const isTls = port.protocol === 'tls';
  const { rules, chain } = routeOpaque(input);
  return {
    ...place,
    ...(all.length === 0 && (service.kind === 'Entry' || isTls) ? { anywhere: true } : {}),
    ...(isTls ? { serverName: service.hostname.toLowerCase() } : {}),
    mode: isHttp(port.protocol) ? 'sniff' : 'tcp',
    ...(rules.length === 0 ? {} : { rules }),
    chain: chain ?? describeTcpChain(tcpChain(port.port, service.hostname), [input.backend]),
    // At a listener's own address, the address the client chose is the listener: the connection would come back for ever.
    ...(service.resolution === 'original-destination' ? { boundChain: null } : {}),
  };
}

/**
 * Headless services have no address of their own: HTTP reaches them by host. Opaque connections reach single pods, with mTLS where they take it; the
 * others are named all the same, so that the mesh knows them where it lets nobody else pass.
 */
function headlessTarget(input: TargetInput): OutboundTarget | undefined {
  const { service, port, endpoints, backend } = input;
  if (isDeclaredHttp(port.protocol)) return { port: port.port, addresses: [], mode: 'http' };
  if (!isTcp(port.protocol)) return undefined;
  const mode = isHttp(port.protocol) ? 'sniff' : 'tcp';
  const pods = addressesOf(endpoints.filter((endpoint) => serves(endpoint, port)));
  if (pods.length === 0) return mode === 'sniff' ? { port: port.port, addresses: [], mode } : undefined;
  const { rules, chain } = routeOpaque(input);
  const addresses = chain === undefined ? addressesOf(meshPods(endpoints, port)) : pods;
  const plainPods = pods.filter((address) => !addresses.includes(address));
  const direct = { shares: [{ cluster: podCluster(port.port, service.hostname), weight: 100 }], hashPolicies: [] };
  return {
    port: port.port,
    addresses,
    ...(port.protocol === 'tls' ? { serverName: service.hostname.toLowerCase() } : {}),
    mode,
    ...(rules.length === 0 ? {} : { rules }),
    ...(addresses.length === 0
      ? {}
      : { chain: chain ?? describeTcpChain(podChain(port.port, service.hostname), [direct]) }),
    ...(plainPods.length === 0 ? {} : { plainPods }),
    boundChain: chain ?? describeTcpChain(tcpChain(port.port, service.hostname), [backend]),
  };
}

function addressesOf(endpoints: readonly Endpoint[]): string[] {
  return [...new Set(endpoints.map(({ address }) => address))].sort();
}

/** Whether it serves the port under its own number, which is the one clients of a headless service use. */
function serves(endpoint: Endpoint, port: ServicePort): boolean {
  return endpoint.ports[port.name] === port.port;
}

/** Endpoints that serve the port under its own number and take mTLS on it. */
export function meshPods(endpoints: readonly Endpoint[], port: ServicePort): Endpoint[] {
  return endpoints.filter((endpoint) => serves(endpoint, port) && acceptsMeshTls(endpoint, port.port));
}
