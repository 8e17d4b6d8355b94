import { callerLimit } from './caller-bounds.ts';
import { type EnvoyConfig, extension, socketAddress } from './envoy-types.ts';

/** One of the plaintext HTTP listeners of the bootstrap. */
export interface StaticListener {
  readonly name: string;
  readonly port: number;
  /** HTTP filters before the router. */
  readonly filters?: readonly EnvoyConfig[];
  readonly routes: readonly EnvoyConfig[];
  /** Of the connection manager: how answers of Envoy's own differ from everybody's. */
  readonly answers?: EnvoyConfig;
  /** Listen on all IPv6 and IPv4 addresses instead of IPv4 alone: a node without IPv6 could not open such a socket. */
  readonly ipv6: boolean;
}

/** A filter that runs a script. */
export function lua(source: string): EnvoyConfig {
  return extension('lua', 'filters.http.lua.v3.Lua', { default_source_code: { inline_string: source } });
}

/** GET on one exact path. */
export function matchGet(path: string): EnvoyConfig {
  return { path, headers: [{ name: ':method', string_match: { exact: 'GET' } }] };
}

/**
 * A plaintext listener, open on all addresses: it must stay answerable however many connections the pod holds, so that those are bounded by themselves
 * (`caller-bounds.ts`), and give an unknown client as little as possible.
 */
export function buildStaticListener(listener: StaticListener): EnvoyConfig {
  const { name, port, ipv6 } = listener;
  return {
    name,
    address: ipv6 ? anyAddress(port) : socketAddress('0.0.0.0', port),
    per_connection_buffer_limit_bytes: 65_536,
    ignore_global_conn_limit: true,
    filter_chains: [{ filters: [callerLimit(name), connectionManager(listener)] }],
  };
}

function anyAddress(port: number): EnvoyConfig {
  return { socket_address: { address: '::', ipv4_compat: true, port_value: port } };
}

function connectionManager({ name, filters = [], routes, answers = {} }: StaticListener): EnvoyConfig {
  return extension('http', 'filters.network.http_connection_manager.v3.HttpConnectionManager', {
    stat_prefix: name,
    // Kubelet's headers reach the application as it sent them.
    generate_request_id: false,
    skip_xff_append: true,
    request_headers_timeout: '5s',
    // Until all of a request has gone on, its body too, which nobody has who is meant to ask.
    request_timeout: '60s',
    stream_idle_timeout: '300s',
    // Who leaves what was held makes room before kubelet's third probe in a row, after which it acts. Kubelet keeps none, and Prometheus comes anew.
    common_http_protocol_options: { idle_timeout: '8s', max_headers_count: 100 },
    max_request_headers_kb: 16,
    http2_protocol_options: { max_concurrent_streams: 32 },
    http_filters: [
      ...filters,
      extension('router', 'filters.http.router.v3.Router', { suppress_envoy_headers: true, start_child_span: false }),
    ],
    ...answers,
    route_config: { name, virtual_hosts: [{ name, domains: ['*'], routes }] },
  });
}
