import type { EnvoyConfig } from './envoy-types.ts';
import { XDS_CLUSTER } from './names.ts';

/**
 * How a sidecar asks for its configuration: one delta stream to the operator (`envoy.config.core.v3.ApiConfigSource`). A stream that broke is tried again
 * after five seconds at most, not Envoy's thirty: on demand, the first request to a host waits for it, and is refused after 15 s.
 */
export const ADS_CONFIG: EnvoyConfig = {
  api_type: 'DELTA_GRPC',
  transport_api_version: 'V3',
  // The node is 61 KB of extension names.
  set_node_on_first_message_only: true,
  grpc_services: [
    {
      envoy_grpc: {
        cluster_name: XDS_CLUSTER,
        retry_policy: { retry_back_off: { base_interval: '0.5s', max_interval: '5s' } },
      },
    },
  ],
};
