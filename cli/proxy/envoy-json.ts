/** What is read of Envoy's configuration in its JSON, as `/config_dump` and `/clusters?format=json` give it. */

export interface Address {
  readonly socket_address?: { readonly address?: string; readonly port_value?: number };
  readonly pipe?: { readonly path?: string };
  readonly envoy_internal_address?: { readonly server_listener_name?: string; readonly endpoint_id?: string };
}

export interface Listener {
  readonly name?: string;
  readonly address?: Address;
  readonly traffic_direction?: string;
  readonly filter_chains?: readonly FilterChain[];
  readonly default_filter_chain?: FilterChain;
  readonly filter_chain_matcher?: unknown;
}

export interface FilterChain {
  readonly name?: string;
  readonly filter_chain_match?: {
    readonly destination_port?: number;
    readonly transport_protocol?: string;
    readonly application_protocols?: readonly string[];
    readonly server_names?: readonly string[];
    readonly prefix_ranges?: readonly { readonly address_prefix?: string; readonly prefix_len?: number }[];
  };
  readonly filters?: readonly { readonly name?: string; readonly typed_config?: NetworkFilter }[];
  readonly transport_socket?: { readonly name?: string };
}

export interface NetworkFilter {
  readonly '@type'?: string;
  readonly cluster?: string;
  readonly weighted_clusters?: WeightedClusters;
  readonly rds?: { readonly route_config_name?: string };
  readonly route_config?: RouteConfiguration;
  readonly http_filters?: readonly { readonly name?: string }[];
}

export interface RouteConfiguration {
  readonly name?: string;
  readonly virtual_hosts?: readonly VirtualHost[];
}

export interface VirtualHost {
  readonly name?: string;
  readonly domains?: readonly string[];
  readonly routes?: readonly Route[];
}

export interface WeightedClusters {
  readonly clusters?: readonly { readonly name?: string; readonly weight?: number }[];
}

export interface Route {
  readonly name?: string;
  readonly match?: {
    readonly prefix?: string;
    readonly path?: string;
    readonly path_separated_prefix?: string;
    readonly safe_regex?: { readonly regex?: string };
    readonly headers?: readonly { readonly name?: string }[];
    readonly query_parameters?: readonly { readonly name?: string }[];
  };
  readonly route?: {
    readonly cluster?: string;
    readonly cluster_header?: string;
    readonly weighted_clusters?: WeightedClusters;
    readonly timeout?: string;
    readonly retry_policy?: { readonly num_retries?: number };
  };
  readonly redirect?: unknown;
  readonly direct_response?: { readonly status?: number };
}

export interface Cluster {
  readonly name?: string;
  readonly type?: string;
  readonly cluster_type?: { readonly name?: string };
  readonly lb_policy?: string;
  readonly transport_socket?: { readonly name?: string };
  readonly transport_socket_matches?: readonly { readonly name?: string }[];
}

export interface Secret {
  readonly name?: string;
  readonly tls_certificate?: { readonly certificate_chain?: DataSource };
  readonly validation_context?: { readonly trusted_ca?: DataSource };
}

export interface DataSource {
  readonly inline_string?: string;
  /** base64. */
  readonly inline_bytes?: string;
  readonly filename?: string;
}

/** `/clusters?format=json`. */
export interface ClusterStatus {
  readonly name?: string;
  readonly host_statuses?: readonly HostStatus[];
}

export interface HostStatus {
  readonly address?: Address;
  readonly stats?: readonly { readonly name?: string; readonly value?: string | number }[];
  readonly health_status?: Readonly<Record<string, unknown>>;
  readonly weight?: number;
  readonly priority?: number;
  readonly locality?: { readonly region?: string; readonly zone?: string; readonly sub_zone?: string };
}

/** `IP:PORT`, or a path, or the name of a listener inside of Envoy. */
export function formatAddress(address: Address | undefined): string {
  const { socket_address: socket, pipe, envoy_internal_address: internal } = address ?? {};
  if (socket !== undefined) {
    const { address: host = '', port_value: port } = socket;
    const written = host.includes(':') ? `[${host}]` : host;
    return port === undefined ? written : `${written}:${port}`;
  }
  return pipe?.path ?? internal?.server_listener_name ?? '-';
}
