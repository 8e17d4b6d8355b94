import { buildDnsChains, DNS_ZONE } from './dns-redirect.ts';
import { buildChain, interfaceSet, portSet, rangeRules } from './nft-terms.ts';
import {
  DNS_PORT,
  INBOUND_PASSTHROUGH_SOURCE,
  INBOUND_PASSTHROUGH_SOURCE_V6,
  INBOUND_PORT,
  OUTBOUND_PORT,
  PLAINTEXT_PORTS,
  PROXY_UID,
} from './ports.ts';

/** Which traffic of a pod goes through its sidecar: Istio's `traffic.sidecar.istio.io/*` annotations. */
export interface RedirectOptions {
  /** `*` means all; a list means only those, and then `excludeInboundPorts` has no say. */
  readonly includeInboundPorts: '*' | readonly number[];
  readonly excludeInboundPorts: readonly number[];
  /** Redirected whatever the address. */
  readonly includeOutboundPorts: readonly number[];
  readonly excludeOutboundPorts: readonly number[];
  /** `*` means all; CIDRs of either family. */
  readonly includeOutboundRanges: '*' | readonly string[];
  readonly excludeOutboundRanges: readonly string[];
  /** Traffic that enters or leaves by these is left alone. */
  readonly excludeInterfaces: readonly string[];
  /** Cluster domain; DNS questions for names outside of it go to the sidecar. '' leaves all DNS alone. */
  readonly captureDnsOutside: string;
}

export const REDIRECT_DEFAULTS: RedirectOptions = {
  includeInboundPorts: '*',
  excludeInboundPorts: [],
  includeOutboundPorts: [],
  excludeOutboundPorts: [],
  includeOutboundRanges: '*',
  excludeOutboundRanges: [],
  excludeInterfaces: [],
  captureDnsOutside: '',
};

/** Name of the nftables table, family inet. */
export const REDIRECT_TABLE = 'heddle';

/**
 * The whole table as one nft transaction, for `nft -f -`. Loading it again, or over another version of it, gives the same table.
 * UDP is untouched but for captured DNS. Options must have been validated (`readAnnotations`): they are written into rules as they are.
 *
 * @param resolvers addresses of the pod's nameservers; only questions to them are captured
 */
export function buildRedirectRules(options: RedirectOptions, resolvers: readonly string[] = []): string {
  const dns = buildDnsChains(options, resolvers);
  return `${[
    // `add` makes `delete` succeed on the first run; all three take effect in one transaction.
    `add table inet ${REDIRECT_TABLE}`,
    `delete table inet ${REDIRECT_TABLE}`,
    `table inet ${REDIRECT_TABLE} {`,
    ...buildChain('inbound', 'type nat hook prerouting priority -100', buildInboundRules(options)),
    ...dns,
    ...buildChain('outbound', 'type nat hook output priority -100', [
      ...(dns.length > 0 ? [`ct zone ${DNS_ZONE} meta l4proto udp redirect to :${DNS_PORT}`] : []),
      ...buildOutboundRules(options),
    ]),
    '}',
  ].join('\n')}\n`;
}

function buildInboundRules(options: RedirectOptions): string[] {
  const { includeInboundPorts: include, excludeInboundPorts: exclude, excludeInterfaces } = options;
  const rules = ['meta l4proto != tcp return'];
  if (excludeInterfaces.length > 0) rules.push(`iifname ${interfaceSet(excludeInterfaces)} return`);
  rules.push(`tcp dport ${portSet(PLAINTEXT_PORTS)} return`);
  if (include === '*') {
    if (exclude.length > 0) rules.push(`tcp dport ${portSet(exclude)} return`);
    rules.push(`meta l4proto tcp redirect to :${INBOUND_PORT}`);
  } else if (include.length > 0) {
    rules.push(`tcp dport ${portSet(include)} meta l4proto tcp redirect to :${INBOUND_PORT}`);
  }
  return rules;
}

function buildOutboundRules(options: RedirectOptions): string[] {
  const { excludeInterfaces, includeOutboundPorts, excludeOutboundPorts } = options;
  const rules = [
    'meta l4proto != tcp return',
    // Envoy to the application of its own pod, marked by its source address.
    `oifname "lo" ip saddr ${INBOUND_PASSTHROUGH_SOURCE} return`,
    `oifname "lo" ip6 saddr ${INBOUND_PASSTHROUGH_SOURCE_V6} return`,
    // A pod that calls its own Service: Envoy chose this very pod, so the call enters like any other.
    ...uncapturedSelfCalls(options),
    `oifname "lo" meta skuid ${PROXY_UID} ip daddr != 127.0.0.0/8 meta l4proto tcp redirect to :${INBOUND_PORT}`,
    `oifname "lo" meta skuid ${PROXY_UID} ip6 daddr != ::1 meta l4proto tcp redirect to :${INBOUND_PORT}`,
    `meta skuid ${PROXY_UID} return`,
    // Containers of one pod among themselves: no hop, nothing to protect.
    'oifname "lo" return',
    'ip daddr 127.0.0.0/8 return',
    'ip6 daddr ::1 return',
    // Other sidecars' metrics and health, which are plain text: redirected, Envoy would take its own listener of that port for the one that is meant.
    `tcp dport ${portSet(PLAINTEXT_PORTS)} return`,
  ];
  if (excludeInterfaces.length > 0) rules.push(`oifname ${interfaceSet(excludeInterfaces)} return`);
  if (excludeOutboundPorts.length > 0) rules.push(`tcp dport ${portSet(excludeOutboundPorts)} return`);
  rules.push(...rangeRules(options.excludeOutboundRanges, 'return'));
  if (includeOutboundPorts.length > 0) {
    rules.push(`tcp dport ${portSet(includeOutboundPorts)} meta l4proto tcp redirect to :${OUTBOUND_PORT}`);
  }
  if (options.includeOutboundRanges === '*') rules.push(`meta l4proto tcp redirect to :${OUTBOUND_PORT}`);
  else rules.push(...rangeRules(options.includeOutboundRanges, `meta l4proto tcp redirect to :${OUTBOUND_PORT}`));
  return rules;
}

/** Ports that callers reach without Envoy are reached without it from inside the pod too: the call comes in plain text. */
function uncapturedSelfCalls({
  includeInboundPorts: include,
  excludeInboundPorts: exclude,
}: RedirectOptions): string[] {
  const fromEnvoy = `oifname "lo" meta skuid ${PROXY_UID}`;
  if (include === '*') return exclude.length > 0 ? [`${fromEnvoy} tcp dport ${portSet(exclude)} return`] : [];
  return [include.length > 0 ? `${fromEnvoy} tcp dport != ${portSet(include)} return` : `${fromEnvoy} return`];
}
