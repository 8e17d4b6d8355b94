import { buildAdminCluster } from './admin-cluster.ts';
import { ADS_CONFIG } from './ads-config.ts';
import type { ApplicationMetrics } from './application-metrics.ts';
import { type EnvoyConfig, socketAddress } from './envoy-types.ts';
import { toArgument, variable } from './expansion.ts';
import { buildHealthListener } from './health-listener.ts';
import { buildMergedClusters, buildMergedPage } from './merged-page.ts';
import { buildCountedCluster, buildMetricsListener } from './metrics-listeners.ts';
import type { OwnWorkload } from './own-labels.ts';
import { ADMIN_PORT } from './ports.ts';
import { buildProbeConfig } from './probe-listeners.ts';
import type { ProbeRecord } from './probes.ts';
import { buildRuntime } from './runtime.ts';
import { buildStatsConfig } from './stats.ts';
import { buildXdsCluster, operatorAddress } from './xds-cluster.ts';

/** What the bootstrap of one pod depends on. */
export interface BootstrapInput {
  /** The pod's workload. Its canonical name is Envoy's service cluster. */
  readonly own: OwnWorkload;
  /** Usually cluster.local. */
  readonly clusterDomain: string;
  readonly probes: ProbeRecord;
  /** Whose metrics stand beside Envoy's on the probe port. */
  readonly application?: ApplicationMetrics | undefined;
  /** See `StaticListener`. */
  readonly ipv6: boolean;
  /** Where the operator is; default its Service. */
  readonly operator?: { readonly address: string; readonly port: number };
}

/** Environment variables of the sidecar that the bootstrap refers to, with the pod field each comes from. */
export const BOOTSTRAP_VARIABLES: Readonly<Record<string, string>> = {
  POD_NAME: 'metadata.name',
  POD_NAMESPACE: 'metadata.namespace',
  POD_UID: 'metadata.uid',
  INSTANCE_IP: 'status.podIP',
  SERVICE_ACCOUNT: 'spec.serviceAccountName',
  NODE_NAME: 'spec.nodeName',
};

/** Longest argument that Linux takes in one piece, less some room for the variables. */
export const MAX_BOOTSTRAP_BYTES = 126_000;

/** The static bootstrap as the value of Envoy's `--config-yaml`, before kubelet's expansion. */
export function formatBootstrap(input: BootstrapInput): string {
  return toArgument(buildBootstrap(input));
}

/** The static bootstrap: node, ADS, the plaintext listeners for kubelet and Prometheus, and what is counted. Everything else comes by ADS. */
export function buildBootstrap(input: BootstrapInput): EnvoyConfig {
  const { own, probes, application, ipv6, clusterDomain, operator } = input;
  const probeConfig = buildProbeConfig(probes, ipv6, buildMergedPage(application));
  return {
    node: buildNode(input),
    admin: { address: socketAddress('127.0.0.1', ADMIN_PORT) },
    dynamic_resources: buildDynamicResources(),
    static_resources: {
      listeners: [
        buildHealthListener(ipv6),
        buildMetricsListener({ own, clusterDomain }, ipv6),
        ...probeConfig.listeners,
      ],
      clusters: [
        operator ? buildXdsCluster(operator.address, operator.port) : buildXdsCluster(operatorAddress(clusterDomain)),
        buildAdminCluster(),
        buildCountedCluster(),
        ...buildMergedClusters(application),
        ...probeConfig.clusters,
      ],
    },
    ...buildStatsConfig(),
    ...buildRuntime(),
    overload_manager: {
      resource_monitors: [
        {
          name: 'envoy.resource_monitors.global_downstream_max_connections',
          typed_config: {
            '@type':
              'type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig',
            max_active_downstream_connections: 50_000,
          },
        },
      ],
    },
  };
}

function buildNode({ own, clusterDomain }: BootstrapInput): EnvoyConfig {
  const [name, namespace, ip] = [variable('POD_NAME'), variable('POD_NAMESPACE'), variable('INSTANCE_IP')];
  return {
    id: `sidecar~${ip}~${name}.${namespace}~${namespace}.svc.${clusterDomain}`,
    cluster: own.canonicalService,
    metadata: {
      POD_UID: variable('POD_UID'),
      SERVICE_ACCOUNT: variable('SERVICE_ACCOUNT'),
      NODE_NAME: variable('NODE_NAME'),
    },
  };
}

/** Envoy waits for clusters and listeners however long it takes: a sidecar that began without them would drop or leak traffic. */
function buildDynamicResources(): EnvoyConfig {
  const source = { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' };
  return {
    ads_config: ADS_CONFIG,
    lds_config: source,
    cds_config: source,
  };
}
