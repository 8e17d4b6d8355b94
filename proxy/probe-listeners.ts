import { type EnvoyConfig, extension, oneEndpoint, typed } from './envoy-types.ts';
import { variable } from './expansion.ts';
import { INBOUND_PASSTHROUGH_SOURCE, INBOUND_PASSTHROUGH_SOURCE_V6, PROBE_PORT } from './ports.ts';
import type { OriginalProbe, ProbeRecord } from './probes.ts';
import { buildStaticListener, matchGet, type StaticListener } from './static-listener.ts';

const PROTOCOL_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

/** How the names of the clusters behind TCP probes begin; the port follows. */
export const TCP_PROBE_CLUSTER = 'probe-tcp-';

/** Listeners and clusters that answer kubelet's rewritten probes; no control plane is needed for them. */
export interface ProbeConfig {
  readonly listeners: readonly EnvoyConfig[];
  readonly clusters: readonly EnvoyConfig[];
}

/**
 * Builds what the probes of one pod need.
 * @param probes of `rewriteProbes`
 * @param ipv6 see `StaticListener`
 * @param also what else is answered on the probe port
 */
export function buildProbeConfig(
  probes: ProbeRecord,
  ipv6: boolean,
  also: Pick<StaticListener, 'filters' | 'routes' | 'answers'>,
): ProbeConfig {
  const entries = Object.entries(probes);
  const clusters = new Map<string, EnvoyConfig>();
  for (const [, probe] of entries) {
    const name = clusterName(probe);
    if (!clusters.has(name)) clusters.set(name, buildLocalCluster(name, fastest(name, entries)));
  }
  const plain = entries.filter(([, probe]) => probe.type !== 'grpc');
  const listeners = [buildHttpListener(plain, ipv6, also)];
  const grpc = new Map<number, OriginalProbe>();
  for (const [, probe] of entries) if (probe.listenerPort !== undefined) grpc.set(probe.listenerPort, probe);
  for (const [port, probe] of grpc) listeners.push(buildGrpcListener(port, probe, ipv6));
  return { listeners, clusters: [...clusters.values()] };
}

/**
 * Kubelet calls a postStart hook while the application is still starting, and looks at no status: only a refused connection
 * fails the hook. Envoy accepts before the application does, so it is Envoy that waits, about half a minute, for it to listen.
 */
const UNTIL_IT_LISTENS = {
  retry_on: 'connect-failure',
  num_retries: 60,
  retry_back_off: { base_interval: '0.1s', max_interval: '1s' },
};

/** Of the probes that share a cluster the one that kubelet sends most often. */
function fastest(name: string, entries: readonly (readonly [string, OriginalProbe])[]): OriginalProbe {
  const sharing = entries.map(([, probe]) => probe).filter((probe) => clusterName(probe) === name);
  return sharing.reduce((a, b) => ((b.periodSeconds ?? 0) < (a.periodSeconds ?? 0) ? b : a));
}

function clusterName({ type, port }: OriginalProbe): string {
  return type === 'tcp' ? `${TCP_PROBE_CLUSTER}${port}` : `probe-${type}-${port}`;
}

function buildHttpListener(
  entries: readonly (readonly [string, OriginalProbe])[],
  ipv6: boolean,
  also: Pick<StaticListener, 'filters' | 'routes' | 'answers'>,
): EnvoyConfig {
  const http = entries.filter(([, probe]) => probe.type !== 'tcp');
  return buildStaticListener({
    name: 'heddle-probes',
    port: PROBE_PORT,
    ipv6,
    answers: also.answers ?? {},
    filters: [
      ...entries.filter(([, probe]) => probe.type === 'tcp').map(([path, probe]) => tcpFilter(path, probe)),
      ...(also.filters ?? []),
    ],
    routes: [
      ...also.routes,
      ...http.map(([path, probe]) => ({
        match: matchGet(path),
        // Kubelet would follow a redirect to a path that is not on this port; a 3xx without Location passes, as a followed one does.
        response_headers_to_remove: ['location'],
        route: {
          cluster: clusterName(probe),
          prefix_rewrite: probe.path ?? '/',
          timeout: '0s',
          ...(path.endsWith('/poststart') ? { retry_policy: UNTIL_IT_LISTENS } : {}),
        },
      })),
    ],
  });
}

/**
 * Answers 200 while an active check can connect, else 503. Proxying the connection would not do: Envoy accepts before it has reached
 * the application, and kubelet would take that for an answer.
 */
function tcpFilter(path: string, probe: OriginalProbe): EnvoyConfig {
  return extension('health_check', 'filters.http.health_check.v3.HealthCheck', {
    pass_through_mode: false,
    headers: [{ name: ':path', string_match: { exact: path } }],
    cluster_min_healthy_percentages: { [clusterName(probe)]: { value: 100 } },
  });
}

function buildGrpcListener(port: number, probe: OriginalProbe, ipv6: boolean): EnvoyConfig {
  return buildStaticListener({
    name: `heddle-grpc-probe-${probe.port}`,
    port,
    ipv6,
    routes: [
      { match: { path: '/grpc.health.v1.Health/Check' }, route: { cluster: clusterName(probe), timeout: '0s' } },
    ],
  });
}

/** A static cluster of one port of the application. */
export function buildLocalCluster(name: string, probe: OriginalProbe): EnvoyConfig {
  return {
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    // As kubelet does, to the pod's own address; our source address keeps the redirection away from it.
    load_assignment: oneEndpoint(name, variable('INSTANCE_IP'), probe.port),
    upstream_bind_config: {
      source_address: { address: INBOUND_PASSTHROUGH_SOURCE, port_value: 0 },
      extra_source_addresses: [{ address: { address: INBOUND_PASSTHROUGH_SOURCE_V6, port_value: 0 } }],
    },
    // A connection kept from the last probe would say nothing about the application's accepting new ones.
    ...(probe.type === 'http' || probe.type === 'https' ? oneRequestPerConnection() : {}),
    ...(probe.type === 'https' ? { transport_socket: unverifiedTls() } : {}),
    ...(probe.type === 'grpc' ? http2() : {}),
    ...(probe.type === 'tcp' ? { health_checks: [connectCheck(probe.periodSeconds ?? 1)] } : {}),
  };
}

function oneRequestPerConnection(): EnvoyConfig {
  return {
    typed_extension_protocol_options: {
      [PROTOCOL_OPTIONS]: typed('upstreams.http.v3.HttpProtocolOptions', {
        common_http_protocol_options: { max_requests_per_connection: 1 },
        explicit_http_config: { http_protocol_options: {} },
      }),
    },
  };
}

function http2(): EnvoyConfig {
  return {
    typed_extension_protocol_options: {
      [PROTOCOL_OPTIONS]: typed('upstreams.http.v3.HttpProtocolOptions', {
        common_http_protocol_options: { max_requests_per_connection: 1 },
        explicit_http_config: { http2_protocol_options: {} },
      }),
    },
  };
}

/** Kubelet does not verify an HTTPS probe's certificate either. */
function unverifiedTls(): EnvoyConfig {
  const context = { common_tls_context: { tls_params: { tls_maximum_protocol_version: 'TLSv1_3' } } };
  return extension('tls', 'transport_sockets.tls.v3.UpstreamTlsContext', context);
}

/**
 * Connects twice as often as kubelet asks, so that no answer is older than half a period; each second while the port is closed, so that a
 * start is seen at once. More often than needed would fill the logs of applications that log every connection.
 */
function connectCheck(periodSeconds: number): EnvoyConfig {
  const second = '1s';
  const healthy = `${Math.max(1, Math.floor(periodSeconds / 2))}s`;
  return {
    timeout: second,
    interval: healthy,
    unhealthy_interval: second,
    // These two hold as long as a cluster has carried no request, which this one never does.
    no_traffic_interval: second,
    no_traffic_healthy_interval: healthy,
    healthy_threshold: 1,
    unhealthy_threshold: 1,
    tcp_health_check: {},
  };
}
