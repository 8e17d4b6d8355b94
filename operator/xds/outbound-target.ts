import type { Endpoint, MeshService, ServicePort } from '../mesh/snapshot.ts';
import { acceptsMeshTls, type Share } from './destination.ts';
import { isDeclaredHttp, isHttp, isTcp } from './http-protocols.ts';
import { podChain, podCluster, tcpChain } from './names.ts';

/** A filter chain for opaque connections. */
export interface TcpChain {
  readonly name: string;
  readonly shares: readonly Share[];
}

/** What becomes of connections to one port of some addresses. */
export interface OutboundTarget {
  readonly port: number;
  /** Cluster IPs, or pod IPs of a headless service. */
  readonly addresses: readonly string[];
  /** `http`: HTTP whatever comes; `sniff`: HTTP when it looks like it; `tcp`: opaque without a look. */
  readonly mode: 'http' | 'sniff' | 'tcp';
  /** Takes what is not HTTP; absent in mode `http`. */
  readonly chain?: TcpChain;
}

/**
 * What one port of a service asks of the outbound listener; undefined when nothing. Headless services have no address of their own: HTTP
 * reaches them by host, and opaque connections to single pods need a chain only where mTLS is to be added.
 */
export function buildOutboundTarget(
  service: MeshService,
  port: ServicePort,
  shares: readonly Share[],
  endpoints: readonly Endpoint[],
): OutboundTarget | undefined {
  if (service.kind === 'ExternalName') return undefined;
  if (service.kind === 'Headless') return headlessTarget(service, port, endpoints);
  if (isDeclaredHttp(port.protocol)) {
    return { port: port.port, addresses: service.addresses, mode: 'http' };
  }
  if (!isTcp(port.protocol)) return undefined;
  const chain = { name: tcpChain(port.port, service.hostname), shares };
  return { port: port.port, addresses: service.addresses, mode: isHttp(port.protocol) ? 'sniff' : 'tcp', chain };
}

function headlessTarget(
  service: MeshService,
  port: ServicePort,
  endpoints: readonly Endpoint[],
): OutboundTarget | undefined {
  if (isDeclaredHttp(port.protocol)) return { port: port.port, addresses: [], mode: 'http' };
  if (!isTcp(port.protocol)) return undefined;
  const mode = isHttp(port.protocol) ? 'sniff' : 'tcp';
  const addresses = meshPods(endpoints, port).map((endpoint) => endpoint.address);
  if (addresses.length === 0) return mode === 'sniff' ? { port: port.port, addresses, mode } : undefined;
  const shares = [{ cluster: podCluster(port.port, service.hostname), weight: 100 }];
  return {
    port: port.port,
    addresses: [...new Set(addresses)].sort(),
    mode,
    chain: { name: podChain(port.port, service.hostname), shares },
  };
}

/** Endpoints that serve the port under its own number (which is the one clients of a headless service use) and take mTLS on it. */
export function meshPods(endpoints: readonly Endpoint[], port: ServicePort): Endpoint[] {
  return endpoints.filter((endpoint) => endpoint.ports[port.name] === port.port && acceptsMeshTls(endpoint, port.port));
}
