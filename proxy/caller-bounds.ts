import { type EnvoyConfig, extension } from './envoy-types.ts';
import { buildChain, portSet } from './nft-terms.ts';
import { GRPC_PROBE_PORT_BASE, GRPC_PROBE_PORT_COUNT, PLAINTEXT_PORTS } from './ports.ts';
import { REDIRECT_TABLE } from './redirect.ts';

/**
 * How many connections the sidecar's plaintext ports hold, which anybody may make who reaches the pod. Two bounds, as one alone would do harm: without the
 * kernel's, by address, one stranger could hold all that Envoy takes, and kubelet's probes would fail; without Envoy's, many strangers could fill its memory.
 */

/** Of one address, on these ports together. Kubelet makes one for each probe that is under way, Prometheus keeps one. */
export const MAX_OF_ONE_CALLER = 64;
/** Of all, on each port. One costs 8 kB in Envoy 1.40, and 20 kB with half a request; sixteen addresses are needed to fill a port. */
export const MAX_OF_ALL_CALLERS = 1024;

/** The network filter that closes connections over the bound of a listener as soon as they are made. @param listener name */
export function callerLimit(listener: string): EnvoyConfig {
  return extension('connection_limit', 'filters.network.connection_limit.v3.ConnectionLimit', {
    stat_prefix: listener,
    max_connections: MAX_OF_ALL_CALLERS,
  });
}

/**
 * The bound by address, as a transaction of its own for `nft -f -` after that of `buildRedirectRules`: it needs the kernel's module `nft_connlimit`, and a
 * pod is better off without the bound than without redirection. Who is over it is told by a reset. What has been closed does not count, and an address
 * that has no connection is forgotten.
 */
export function buildCallerBounds(): string {
  const probes = Array.from({ length: GRPC_PROBE_PORT_COUNT }, (_, nth) => GRPC_PROBE_PORT_BASE + nth);
  const begun = `tcp dport ${portSet([...PLAINTEXT_PORTS, ...probes])} ct state new`;
  const over = `ct count over ${MAX_OF_ONE_CALLER}`;
  return `${[
    `table inet ${REDIRECT_TABLE} {`,
    '  set callers { type ipv4_addr; flags dynamic; size 65535; }',
    '  set callers6 { type ipv6_addr; flags dynamic; size 65535; }',
    ...buildChain('bounds', 'type filter hook input priority 0', [
      `${begun} add @callers { ip saddr ${over} } reject with tcp reset`,
      `${begun} add @callers6 { ip6 saddr ${over} } reject with tcp reset`,
    ]),
    '}',
  ].join('\n')}\n`;
}
