import { create } from '@bufbuild/protobuf';
import { Cluster_DiscoveryType } from '../../generated/envoy/envoy/config/cluster/v3/cluster_pb.js';
import { MetadataSchema } from '../../generated/envoy/envoy/config/core/v3/base_pb.js';
import { METRICS_PAGE_CLUSTER, METRICS_PAGE_METADATA } from '../../proxy/names.ts';
import type { WorkloadTelemetry } from '../mesh/telemetry.ts';
import type { MetricOverride, MetricTag } from '../mesh/telemetry-metrics.ts';
import { buildCluster, encodeCluster } from './clusters.ts';
import type { XdsResource } from './resource.ts';
import { expressionTag } from './tagged-stats.ts';

/**
 * How a page of metrics differs from everybody's, for its script (`proxy/metrics-overrides.ts`): entries between semicolons, each of the reporter,
 * the family, what is done, the label, and its value, encoded as in a URL.
 */
export function describeMetricsPage({ client, server }: NonNullable<WorkloadTelemetry['metrics']>): string {
  return [...describeSide('source', client), ...describeSide('destination', server)].join(';');
}

/**
 * A cluster that nothing is sent to. The page's script reads what its metadata says when it is asked for the page: Envoy takes a cluster in without
 * touching a connection, where a listener would be drained.
 */
export function translateMetricsPage(described: string): XdsResource {
  const cluster = buildCluster(METRICS_PAGE_CLUSTER);
  cluster.clusterDiscoveryType = { case: 'type', value: Cluster_DiscoveryType.STATIC };
  const { namespace, key } = METRICS_PAGE_METADATA;
  cluster.metadata = create(MetadataSchema, { filterMetadata: { [namespace]: { [key]: described } } });
  return encodeCluster(cluster);
}

function describeSide(reporter: 'source' | 'destination', overrides: readonly MetricOverride[]): string[] {
  return overrides.flatMap(({ family, disabled, tags }) =>
    disabled ? [`${reporter} ${family} disable`] : tags.map((tag) => `${reporter} ${family} ${describeTag(tag)}`),
  );
}

function describeTag(tag: MetricTag): string {
  if ('expression' in tag) return `tag ${tag.label} ${expressionTag(tag.expression)}`;
  return 'constant' in tag ? `set ${tag.label} ${encode(tag.constant)}` : `remove ${tag.label}`;
}

/** As in a URL, and nothing is left that JSON writes in another way. */
function encode(text: string): string {
  const hex = (character: string) => `%${character.charCodeAt(0).toString(16)}`;
  return encodeURIComponent(text.toWellFormed()).replace(/[!'()*~]/g, hex);
}
