import { type EnvoyConfig, extension, oneEndpoint, typed } from './envoy-types.ts';
import {
  OPERATOR_SERVICE,
  SYSTEM_NAMESPACE,
  TOKEN_FILE,
  TOKEN_MOUNT_PATH,
  TRUST_MOUNT_PATH,
  TRUST_SDS_KEY,
  XDS_CLUSTER,
  XDS_SERVER_NAME,
  XDS_TRUST_SECRET,
} from './names.ts';
import { XDS_PORT } from './ports.ts';

/**
 * The cluster that carries ADS and the metrics service: TLS, verified against the trust ConfigMap, which Envoy follows when kubelet
 * renews it; each stream carries the pod's token, read from its file when the stream begins.
 * @param address where the operator is; host name or address
 */
export function buildXdsCluster(address: string, port: number = XDS_PORT): EnvoyConfig {
  return {
    name: XDS_CLUSTER,
    cluster_type: extension('dns', 'clusters.dns.v3.DnsCluster', {
      // "localhost" and dual-stack names never connected where IPv6 came first and was not served.
      dns_lookup_family: 'V4_PREFERRED',
      dns_refresh_rate: '30s',
      dns_failure_refresh_rate: { base_interval: '0.5s', max_interval: '5s' },
    }),
    connect_timeout: '3s',
    load_assignment: oneEndpoint(XDS_CLUSTER, address, port),
    upstream_connection_options: { tcp_keepalive: { keepalive_probes: 3, keepalive_time: 60, keepalive_interval: 10 } },
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': typed('upstreams.http.v3.HttpProtocolOptions', {
        explicit_http_config: { http2_protocol_options: { connection_keepalive: { interval: '30s', timeout: '5s' } } },
        http_filters: [tokenFilter(), extension('upstream_codec', 'filters.http.upstream_codec.v3.UpstreamCodec')],
      }),
    },
    transport_socket: extension('tls', 'transport_sockets.tls.v3.UpstreamTlsContext', {
      sni: XDS_SERVER_NAME,
      common_tls_context: tlsContext(),
    }),
  };
}

/** DNS name of the operator, absolute, so that resolvers try no search list. */
export function operatorAddress(clusterDomain: string): string {
  return `${OPERATOR_SERVICE}.${SYSTEM_NAMESPACE}.svc.${clusterDomain}.`;
}

function tokenFilter(): EnvoyConfig {
  const value = `Bearer %FILE_CONTENT(${TOKEN_MOUNT_PATH}/${TOKEN_FILE}:${TOKEN_MOUNT_PATH})%`;
  return extension('header_mutation', 'filters.http.header_mutation.v3.HeaderMutation', {
    mutations: {
      request_mutations: [
        { append: { append_action: 'OVERWRITE_IF_EXISTS_OR_ADD', header: { key: 'authorization', value } } },
      ],
      formatters: [extension('envoy.formatter.file_content', 'formatter.file_content.v3.FileContent')],
    },
  });
}

function tlsContext(): EnvoyConfig {
  const path = `${TRUST_MOUNT_PATH}/${TRUST_SDS_KEY}`;
  return {
    tls_params: { tls_minimum_protocol_version: 'TLSv1_2', tls_maximum_protocol_version: 'TLSv1_3' },
    alpn_protocols: ['h2'],
    combined_validation_context: {
      default_validation_context: {
        match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: XDS_SERVER_NAME } }],
      },
      // A static trusted_ca would not be read again when the root rotates; this file is.
      validation_context_sds_secret_config: {
        name: XDS_TRUST_SECRET,
        sds_config: {
          resource_api_version: 'V3',
          path_config_source: { path, watched_directory: { path: TRUST_MOUNT_PATH } },
        },
      },
    },
  };
}
