import { z } from 'zod';
import {
  checkLabels,
  checkPort,
  type Findings,
  isAddress,
  isDnsLabel,
  isHostOrWildcard,
  isSubnet,
} from './field-check.ts';
import { checkRouteDestinations, routeDestination } from './http-destination.ts';
import { coveringHost } from './virtual-service-hosts.ts';

const conditions = {
  destinationSubnets: z.array(z.string()).optional().describe('Addresses or CIDR blocks that are called.'),
  port: z.int().optional().describe('Port of the Service that is called.'),
  sourceLabels: z.record(z.string(), z.string()).optional().describe('Labels of the pods that call.'),
  sourceNamespace: z.string().optional().describe('Namespace of the pods that call.'),
  gateways: z
    .array(z.string())
    .optional()
    .describe("Gateways it is for, instead of the VirtualService's; mesh: sidecars."),
};

/** Istio's TLSMatchAttributes. */
export const tlsMatch = z.object({
  sniHosts: z.array(z.string()).optional().describe('Names that the caller asks for in the TLS handshake.'),
  ...conditions,
});

/** Istio's L4MatchAttributes. */
export const tcpMatch = z.object({
  ...conditions,
  sourceSubnet: z.string().optional().describe('Address or CIDR block of the caller.'),
});

const route = z.array(routeDestination).optional().describe('Where connections go, by weight.');

/** Istio's TLSRoute. */
export const tlsRoute = z.object({ match: z.array(tlsMatch).describe('Conditions, one of which must hold.'), route });

/** Istio's TCPRoute. */
export const tcpRoute = z.object({
  match: z.array(tcpMatch).optional().describe('Conditions, one of which must hold.'),
  route,
});

export type TlsMatch = z.infer<typeof tlsMatch>;
export type TcpMatch = z.infer<typeof tcpMatch>;
export type TlsRoute = z.infer<typeof tlsRoute>;
export type TcpRoute = z.infer<typeof tcpRoute>;

/**
 * Reports what can't be right about a rule for TLS connections.
 * @param hosts the hosts of the VirtualService, which those of the matches must be within
 */
export function checkTlsRoute(found: Findings, field: string, rule: TlsRoute, hosts: ReadonlySet<string>): void {
  if (rule.match.length === 0) found.error(`${field}.match`, 'must have at least one match with sniHosts');
  for (const [index, match] of rule.match.entries()) {
    const place = `${field}.match[${index}]`;
    if ((match.sniHosts ?? []).length === 0) found.error(`${place}.sniHosts`, 'must have at least one host');
    for (const [number, host] of (match.sniHosts ?? []).entries()) {
      checkSniHost(found, `${place}.sniHosts[${number}]`, host, hosts);
    }
    checkConditions(found, place, match);
  }
  checkConnectionRoute(found, field, rule);
}

/** Reports what can't be right about a rule for TCP connections. */
export function checkTcpRoute(found: Findings, field: string, rule: TcpRoute): void {
  for (const [index, match] of (rule.match ?? []).entries()) {
    const place = `${field}.match[${index}]`;
    if (match.sourceSubnet && !isSubnet(match.sourceSubnet)) {
      found.error(`${place}.sourceSubnet`, `must be an address or a CIDR block, and is "${match.sourceSubnet}"`);
    }
    checkConditions(found, place, match);
  }
  checkConnectionRoute(found, field, rule);
}

function checkConnectionRoute(found: Findings, field: string, rule: Pick<TcpRoute, 'route'>): void {
  if ((rule.route ?? []).length === 0) found.error(`${field}.route`, 'must have at least one destination');
  checkRouteDestinations(found, `${field}.route`, rule.route ?? []);
}

function checkSniHost(found: Findings, field: string, host: string, hosts: ReadonlySet<string>): void {
  if (isAddress(host)) found.warn(field, 'is an address, which clients do not send in a TLS handshake');
  else if (!isHostOrWildcard(host))
    found.error(field, `must be a DNS name or a wildcard such as "*.shop.example", and is "${host}"`);
  else if (!hosts.has(host) && coveringHost(host, hosts) === undefined) {
    found.error(field, `must be one of spec.hosts or within a wildcard of them; add "${host}" there`);
  }
}

function checkConditions(found: Findings, field: string, match: Omit<TcpMatch, 'sourceSubnet'>): void {
  for (const [index, subnet] of (match.destinationSubnets ?? []).entries()) {
    if (!isSubnet(subnet))
      found.error(`${field}.destinationSubnets[${index}]`, `must be an address or a CIDR block, and is "${subnet}"`);
  }
  checkPort(found, `${field}.port`, match.port);
  checkLabels(found, `${field}.sourceLabels`, match.sourceLabels);
  const namespace = match.sourceNamespace;
  if (namespace && !isDnsLabel(namespace))
    found.error(`${field}.sourceNamespace`, `must be the name of a namespace, and is "${namespace}"`);
}
