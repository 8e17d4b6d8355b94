import type { JsonObject, Registry } from '@bufbuild/protobuf';
import type { TrafficPolicy } from '../../mesh/destination-policy.ts';
import { type ClusterInput, translateServiceCluster } from '../clusters.ts';
import { port, service } from './mesh-fixture.ts';
import { resourceJson } from './resource-json.ts';

/** The cluster of an HTTP port of `catalog.shop` under a policy, as JSON. */
export function clusterJson(
  registry: Registry,
  policy: TrafficPolicy,
  more: Partial<Omit<ClusterInput, 'policy'>> = {},
): JsonObject {
  const http = port(80, 'http', 'http');
  const input = {
    name: 'outbound|80||catalog.shop.svc.cluster.local',
    subset: '',
    revision: '',
    peers: [],
    endpoints: [],
  };
  const target = service('catalog.shop', [more.port ?? http]);
  return resourceJson(translateServiceCluster({ ...input, service: target, port: http, ...more, policy }), registry);
}
