import type { Hostname, ServiceKey } from '../mesh/snapshot.ts';

/** Names of everything that `xds` generates. Cluster names are Istio's, for dashboards and `istioctl proxy-config` readers know them. */

export const OUTBOUND_LISTENER = 'virtualOutbound';
export const INBOUND_LISTENER = 'virtualInbound';
/** Answers the application's DNS questions, where the pod asks for that. */
export const DNS_LISTENER = 'dnsCapture';
/** To where the client wanted to go: destinations the mesh does not know. */
export const PASSTHROUGH_CLUSTER = 'PassthroughCluster';
/** To the local application, on ports no Service declares. */
export const INBOUND_PASSTHROUGH_CLUSTER = 'InboundPassthroughCluster';
/** To nowhere: connections made to the proxy's own redirection ports. */
export const BLACK_HOLE_CLUSTER = 'BlackHoleCluster';

/** Filter chain of connections that go where they wanted to. */
export const PASSTHROUGH_CHAIN = 'passthrough';
/** Filter chain of connections that are closed at once. */
export const BLOCK_CHAIN = 'block';

/**
 * ALPN offered, before Istio's marker, by a proxy that has recognised HTTP on the connection it carries. The receiving side cannot
 * sniff inside TLS before it has chosen a filter chain, so on ports with no declared protocol this is how it knows.
 */
export const HTTP_ALPN = 'heddle-http';

/**
 * Response header by which an inbound proxy tells a calling proxy that the application never received the request, so that sending it to
 * another endpoint is safe whatever its method. Applications in the mesh never see it, and cannot say it.
 */
export const UNDELIVERED_HEADER = 'x-heddle-undelivered';

/** Cluster for a port of a service, for a subset ('': all) of it, and for one revision of those. */
export function outboundCluster(port: number, hostname: Hostname, revision?: string, subset = ''): string {
  const whole = `outbound|${port}|${subset}|${hostname}`;
  return revision === undefined ? whole : `${whole}|${revision}`;
}

/** What an outbound cluster is for; undefined when the name is none. */
export function readOutboundCluster(
  name: string,
): { port: number; subset: string; hostname: Hostname; revision: string | undefined } | undefined {
  const [direction, port, subset, hostname, revision] = name.split('|');
  if (direction !== 'outbound' || subset === undefined || hostname === undefined) return undefined;
  return { port: Number(port), subset, hostname, revision };
}

/** Cluster for single pods of a headless service, by the address the client connected to. */
export function podCluster(port: number, hostname: Hostname): string {
  return `outbound|${port}||*.${hostname}`;
}

/**
 * What an outbound cluster's hostname stands for: of a headless service's single pods, the service that has its name behind the wildcard.
 * @param find gives what has a hostname
 */
export function ofClusterHost<Found>(
  hostname: Hostname,
  find: (hostname: Hostname) => Found | undefined,
): Found | undefined {
  return find(hostname) ?? (hostname.startsWith('*.') ? find(hostname.slice(2)) : undefined);
}

/** Cluster for a port of the local application. */
export function inboundCluster(port: number): string {
  return `inbound|${port}||`;
}

/** The port that such a cluster is for; undefined when the name is none. */
export function readInboundCluster(name: string): number | undefined {
  const port = /^inbound\|([1-9][0-9]{0,4})\|\|$/.exec(name)?.[1];
  return port === undefined ? undefined : Number(port);
}

/**
 * Cluster of whom policies with action CUSTOM ask. It is apart from those of the outbound side: what is asked does not depend on what the pod may call.
 * @param protocol by which it is asked
 */
export function authorizerCluster(port: number, protocol: 'http' | 'grpc', service: ServiceKey): string {
  return `authorizer|${port}|${protocol}|${service}`;
}

/** Cluster over which whom Telemetry resources name is told; apart from those of the outbound side for the same reason. */
export function telemetryCluster(port: number, protocol: 'http' | 'grpc', service: ServiceKey): string {
  return `telemetry|${port}|${protocol}|${service}`;
}

/** What a cluster of either of these two is for; undefined when the name is none. */
export function readAuthorizerCluster(
  name: string,
): { port: number; protocol: 'http' | 'grpc'; service: ServiceKey } | undefined {
  const match = /^(?:authorizer|telemetry)\|([1-9][0-9]{0,4})\|(http|grpc)\|(.+)$/.exec(name);
  if (match?.[3] === undefined) return undefined;
  return { port: Number(match[1]), protocol: match[2] === 'http' ? 'http' : 'grpc', service: match[3] };
}

/** Longest server name that Envoy takes; it refuses a cluster with a longer one. */
const MAX_SERVER_NAME = 255;

/** Server name in the TLS handshake between proxies, Istio's form. The end of the longest hosts is cut off: the other side chooses nothing by it. */
export function meshServerName(port: number, hostname: Hostname, revision = ''): string {
  return `outbound_.${port}_.${revision}_.${hostname}`.slice(0, MAX_SERVER_NAME);
}

/** The route configuration of all HTTP on a port. */
export function routeConfiguration(port: number): string {
  return String(port);
}

/** The port a route configuration is for; undefined when the name is none of ours. */
export function routeConfigurationPort(name: string): number | undefined {
  return /^[1-9][0-9]{0,4}$/.test(name) ? Number(name) : undefined;
}

/**
 * What a virtual host is for: requests to a host, to single pods of one, to hosts that nobody knows, or to the one of these that a proxy has asked for.
 */
export type HostPart = 'host' | 'pods' | 'unknown' | 'asked';

/**
 * The virtual host of a port's route configuration. What stands before the slash must be the name of that configuration, and virtual host and
 * resource must have one name, or Envoy takes it for another's, or can't remove it.
 */
export function virtualHost(port: number, hostname: Hostname, part: HostPart = 'host'): string {
  const name = `${routeConfiguration(port)}/${hostname}`;
  return part === 'host' ? name : `${name}|${part}`;
}

/** The virtual host, on a port, of all hosts that nobody knows. */
export function unknownHost(port: number): string {
  return virtualHost(port, '*', 'unknown');
}

/** What a virtual host is of; undefined when the name is none of ours. */
export function readVirtualHost(name: string): { port: number; hostname: Hostname; part: HostPart } | undefined {
  const match = /^([1-9][0-9]{0,4})\/([^/|]+)(?:\|(pods|unknown|asked))?$/.exec(name);
  if (match?.[2] === undefined) return undefined;
  return { port: Number(match[1]), hostname: match[2], part: (match[3] as HostPart | undefined) ?? 'host' };
}

/**
 * What Envoy asks for when it has no virtual host for a request: the route configuration and the request's authority. Undefined when the name is none
 * of these.
 * @returns domain as Envoy looks for it in virtual hosts, in lower case and without a port
 */
export function readAuthority(name: string): { port: number; domain: string } | undefined {
  const match = /^([1-9][0-9]{0,4})\/(.*)$/s.exec(name);
  if (match?.[2] === undefined) return undefined;
  return { port: Number(match[1]), domain: withoutPort(match[2]).toLowerCase() };
}

/** What stands before the last colon, but for one inside of an IPv6 address in brackets (`HeaderUtility::getPortStart` in Envoy's source). */
function withoutPort(authority: string): string {
  const colon = authority.lastIndexOf(':');
  return colon < 0 || authority.lastIndexOf(']') > colon ? authority : authority.slice(0, colon);
}

/** The listener to which `virtualOutbound` hands connections to a port on which the mesh has something. */
export function portListener(port: number): string {
  return `outbound|${port}`;
}

/** The port of such a listener; undefined when the name is none. */
export function portOfListener(name: string): number | undefined {
  const match = /^outbound\|([1-9][0-9]{0,4})$/.exec(name);
  return match === null ? undefined : Number(match[1]);
}

/** A Sidecar's egress listener that clients connect to themselves. */
export function boundListener(address: string, port: number): string {
  return `egress|${port}|${address}`;
}

/** Where such a listener is; undefined when the name is none. */
export function readBoundListener(name: string): { address: string; port: number } | undefined {
  const match = /^egress\|([1-9][0-9]{0,4})\|(.+)$/.exec(name);
  return match?.[2] === undefined ? undefined : { port: Number(match[1]), address: match[2] };
}

/** Outbound filter chain for HTTP. */
export const HTTP_CHAIN = 'http';

/** Outbound filter chain for TCP to a port of a service. */
export function tcpChain(port: number, hostname: Hostname): string {
  return `tcp|${port}||${hostname}`;
}

/** Outbound filter chain for TCP to single pods of a headless service, over mTLS. */
export function podChain(port: number, hostname: Hostname): string {
  return `tcp|${port}||*.${hostname}`;
}
