import { INBOUND_LISTENER, portOfListener } from '../../operator/xds/names.ts';
import { readClusterName } from './cluster-name.ts';
import type { Held } from './config-dump.ts';
import { type FilterChain, formatAddress, type Listener } from './envoy-json.ts';
import type { Direction, Line, Section } from './section.ts';

/** A line for each filter chain: who is matched by it, and where it leads. */
export const LISTENERS: Section = {
  header: ['address', 'port', 'match', 'destination'],
  wide: ['listener', 'chain', 'state', 'version'],
  lines: ({ listeners }) => listeners.flatMap(linesOf),
};

function linesOf(held: Held<Listener>): Line[] {
  const { resource: listener, state, version, error } = held;
  const { name = '', address, filter_chains = [], default_filter_chain: rest } = listener;
  const addresses = addressesOfChains(listener.filter_chain_matcher);
  const direction = directionOf(listener);
  const chains = [...filter_chains, ...(rest === undefined ? [] : [rest])];
  return (chains.length > 0 ? chains : [{}]).map((chain) => {
    const destination = error === undefined ? destinationOf(chain) : `refused: ${error}`;
    const own = chain.filter_chain_match?.destination_port;
    const port = own ?? portOfListener(name) ?? address?.socket_address?.port_value;
    return {
      facts: { port, direction, hosts: hostsOf(chain, direction) },
      cells: [
        formatAddress({ socket_address: { address: address?.socket_address?.address ?? '-' } }),
        `${port ?? '-'}`,
        chain === rest ? 'all else' : matchOf(chain, addresses.get(chain.name ?? '') ?? [], name),
        destination,
      ],
      wide: [name, chain.name ?? '-', state, version || '-'],
      raw: listener,
    };
  });
}

function directionOf({ name, traffic_direction: direction }: Listener): Direction | undefined {
  if (direction === 'OUTBOUND') return 'outbound';
  return direction === 'INBOUND' || name === INBOUND_LISTENER ? 'inbound' : undefined;
}

/** Our chains of TCP are called after what they lead to. */
function hostsOf({ name = '', filters = [] }: FilterChain, direction: Direction | undefined): string[] {
  if (direction !== 'outbound') return [];
  const cluster = filters.map(({ typed_config: config }) => config?.cluster).find((one) => one !== undefined);
  const host = name.startsWith('tcp|') ? name.split('|')[3] : cluster && readClusterName(cluster).host;
  return host === undefined ? [] : [host];
}

/** Words for who is matched: `Trans: tls; App: istio; Addr: 10.0.0.1`, Istio's. */
function matchOf(
  { name, filter_chain_match: match = {} }: FilterChain,
  addresses: readonly string[],
  listener: string,
) {
  const { transport_protocol: transport, application_protocols: alpn = [], server_names: names = [] } = match;
  const ranges = (match.prefix_ranges ?? []).map(({ address_prefix, prefix_len }) => `${address_prefix}/${prefix_len}`);
  // In a matcher, protocols have quotes.
  const protocols = addresses.filter((one) => one.startsWith("'")).map((one) => one.slice(1, -1));
  const addressed = [...addresses.filter((one) => !one.startsWith("'")), ...ranges];
  const parts = [
    ...(transport === undefined ? [] : [`Trans: ${transport}`]),
    ...(alpn.length + protocols.length === 0 ? [] : [`App: ${shorten([...alpn, ...protocols])}`]),
    ...(names.length === 0 ? [] : [`SNI: ${shorten(names)}`]),
    ...(addressed.length === 0 ? [] : [`Addr: ${shorten(addressed)}`]),
  ];
  if (parts.length > 0) return parts.join('; ');
  if (match.destination_port !== undefined) return 'ALL';
  return portOfListener(listener) === undefined ? 'ALL' : (name ?? 'ALL');
}

/** `a,b,...` of many. */
export function shorten(values: readonly string[], most = 3): string {
  return values.length <= most ? values.join(',') : `${values.slice(0, most).join(',')},+${values.length - most}`;
}

function destinationOf({ filters = [] }: FilterChain): string {
  for (const { typed_config: config = {} } of filters) {
    if (config.rds?.route_config_name !== undefined) return `Route: ${config.rds.route_config_name}`;
    if (config.route_config !== undefined) return `Inline Route: ${config.route_config.name || 'unnamed'}`;
    if (config.cluster !== undefined) return `Cluster: ${config.cluster}`;
    const weighted = config.weighted_clusters?.clusters;
    if (weighted !== undefined) return weighted.map(({ name, weight }) => `Cluster: ${name} (${weight})`).join(', ');
  }
  return filters.at(-1)?.name ?? '-';
}

/** By the name of a filter chain: the addresses (and, in quotes, protocols) that a listener's matcher sends to it. */
function addressesOfChains(matcher: unknown, found = new Map<string, string[]>()): ReadonlyMap<string, string[]> {
  if (typeof matcher !== 'object' || matcher === null) return found;
  for (const [key, value] of Object.entries(matcher)) {
    if (key === 'exact_match_map') {
      const map = (value as { map?: Record<string, { action?: { name?: string } }> }).map ?? {};
      for (const [address, { action }] of Object.entries(map)) {
        const name = action?.name;
        if (name !== undefined) found.set(name, [...(found.get(name) ?? []), address]);
      }
    }
    addressesOfChains(value, found);
  }
  return found;
}
