import { type EnvoyConfig, oneEndpoint } from './envoy-types.ts';
import { ADMIN_PORT } from './ports.ts';

/** Static cluster that reaches Envoy's own admin interface. */
export const ADMIN_CLUSTER = 'heddle-admin';

/** The cluster of that name. */
export function buildAdminCluster(): EnvoyConfig {
  return {
    name: ADMIN_CLUSTER,
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: oneEndpoint(ADMIN_CLUSTER, '127.0.0.1', ADMIN_PORT),
  };
}
