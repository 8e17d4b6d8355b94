import { create, toBinary } from '@bufbuild/protobuf';
import { TLS_MODE_ISTIO } from '../../api/pod-names.ts';
import {
  type LbEndpoint,
  LbEndpointSchema,
} from '../../generated/envoy/envoy/config/endpoint/v3/endpoint_components_pb.js';
import { ClusterLoadAssignmentSchema } from '../../generated/envoy/envoy/config/endpoint/v3/endpoint_pb.js';
import type { Endpoint, Locality } from '../mesh/snapshot.ts';
import { SOCKET_MATCH_FILTER, SOCKET_MATCH_KEY } from './clusters.ts';
import { acceptsMeshTls } from './destination.ts';
import { contentHash, encodeResource } from './encoding.ts';
import { ENDPOINT_TYPE, type XdsResource } from './resource.ts';

interface Group {
  readonly locality: Locality;
  readonly members: Map<string, LbEndpoint>;
}

/**
 * The endpoints of a cluster by locality, each marked when it takes mesh mTLS.
 *
 * @param portName which of the endpoints' ports; endpoints without it are left out
 * @param clusterVersion becomes part of the version: Envoy needs a cluster's endpoints anew whenever the cluster changes, or the changed
 *   cluster waits for them 15 s
 */
export function translateLoadAssignment(
  cluster: string,
  portName: string,
  endpoints: readonly Endpoint[],
  clusterVersion: string,
): XdsResource {
  const groups = new Map<string, Group>();
  for (const endpoint of endpoints) {
    const port = endpoint.ports[portName];
    if (port === undefined) continue;
    const { region, zone, subzone } = endpoint.locality;
    const key = `${region}/${zone}/${subzone}`;
    const group = groups.get(key) ?? { locality: endpoint.locality, members: new Map<string, LbEndpoint>() };
    groups.set(key, group);
    group.members.set(`${endpoint.address} ${port}`, translateEndpoint(endpoint, port));
  }
  const value = toBinary(
    ClusterLoadAssignmentSchema,
    create(ClusterLoadAssignmentSchema, {
      clusterName: cluster,
      endpoints: sorted(groups).map(({ locality, members }) => ({
        locality: { region: locality.region, zone: locality.zone, subZone: locality.subzone },
        lbEndpoints: sorted(members),
      })),
    }),
  );
  return encodeResource(ENDPOINT_TYPE, cluster, value, contentHash(value, clusterVersion));
}

/** Values in the order of their keys: the same endpoints in any order give the same bytes. */
function sorted<Value>(map: ReadonlyMap<string, Value>): Value[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}

function translateEndpoint(endpoint: Endpoint, port: number): LbEndpoint {
  return create(LbEndpointSchema, {
    hostIdentifier: {
      case: 'endpoint',
      value: {
        address: {
          address: {
            case: 'socketAddress',
            value: { address: endpoint.address, portSpecifier: { case: 'portValue', value: port } },
          },
        },
      },
    },
    ...(acceptsMeshTls(endpoint, port)
      ? { metadata: { filterMetadata: { [SOCKET_MATCH_FILTER]: { [SOCKET_MATCH_KEY]: TLS_MODE_ISTIO } } } }
      : {}),
  });
}
