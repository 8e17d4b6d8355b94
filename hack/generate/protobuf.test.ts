import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { anyPack, anyUnpack } from '@bufbuild/protobuf/wkt';
import { describe, expect, test } from '@jest/globals';
import { ClusterSchema } from '../../generated/envoy/envoy/config/cluster/v3/cluster_pb.js';
import { ConfigSchema as StatsConfigSchema } from '../../generated/envoy/envoy/extensions/access_loggers/stats/v3/stats_pb.js';
import { DeltaDiscoveryResponseSchema } from '../../generated/envoy/envoy/service/discovery/v3/discovery_pb.js';

describe('the generated Envoy messages', () => {
  test('survive a round trip, nested in Any', () => {
    const cluster = create(ClusterSchema, { name: 'outbound|80||web.shop.svc.cluster.local' });
    const response = create(DeltaDiscoveryResponseSchema, {
      resources: [{ name: cluster.name, version: '1', resource: anyPack(ClusterSchema, cluster) }],
    });
    const back = fromBinary(DeltaDiscoveryResponseSchema, toBinary(DeltaDiscoveryResponseSchema, response));
    const resource = back.resources[0]?.resource;
    expect(resource && anyUnpack(resource, ClusterSchema)).toEqual(cluster);
  });

  test('include the stats access logger, which the npm packages of protos lack', () => {
    expect(StatsConfigSchema.typeName).toBe('envoy.extensions.access_loggers.stats.v3.Config');
  });
});
