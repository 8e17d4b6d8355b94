import { create, toBinary } from '@bufbuild/protobuf';
import { TLS_MODE_ISTIO } from '../../api/pod-names.ts';
import {
  type LbEndpoint,
  LbEndpointSchema,
} from '../../generated/envoy/envoy/config/endpoint/v3/endpoint_components_pb.js';
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from '../../generated/envoy/envoy/config/endpoint/v3/endpoint_pb.js';
import type { TrafficPolicy } from '../mesh/destination-policy.ts';
import type { Endpoint, Locality } from '../mesh/snapshot.ts';
import { acceptsMeshTls } from './destination.ts';
import { contentHash, encodeResource } from './encoding.ts';
import { type AssignmentClient, contiguous, failoverRank } from './locality-failover.ts';
import { localityPlan } from './locality-setting.ts';
import { localityWeights } from './locality-weights.ts';
import { ENDPOINT_TYPE, type XdsResource } from './resource.ts';
import { SOCKET_MATCH_FILTER, SOCKET_MATCH_KEY } from './tls-sockets.ts';

export { localityDependence } from './locality-setting.ts';

/** Envoy wants the weights of an assignment to sum to 32 bits at most. */
const MAX_WEIGHT_SUM = 4_000_000_000;

export interface AssignmentInput {
  readonly cluster: string;
  /** Which of the endpoints' ports; endpoints without it are left out. */
  readonly portName: string;
  readonly endpoints: readonly Endpoint[];
  /**
   * Becomes part of the version: Envoy needs a cluster's endpoints anew whenever the cluster changes, or the changed cluster waits for them 15 s.
   */
  readonly clusterVersion: string;
  readonly policy: TrafficPolicy;
  /** Undefined when the policy does not depend on it, see {@link localityDependence}. */
  readonly client: AssignmentClient | undefined;
}

interface Group {
  readonly rank: number;
  readonly locality: Locality;
  readonly members: Map<string, LbEndpoint>;
}

/** The endpoints of a cluster by priority and locality, each marked when it takes mesh mTLS. */
export function translateAssignment(input: AssignmentInput): XdsResource {
  const value = toBinary(ClusterLoadAssignmentSchema, buildAssignment(input));
  return encodeResource(ENDPOINT_TYPE, input.cluster, value, contentHash(value, input.clusterVersion));
}

/** The message itself, for clusters that hold their endpoints. */
export function buildAssignment(input: Omit<AssignmentInput, 'clusterVersion'>): ClusterLoadAssignment {
  const groups = groupEndpoints(input);
  const plan = localityPlan(input.policy);
  const priorities = contiguous(groups.map(({ rank }) => rank));
  const weighed = groups.map(({ locality, members }) => ({ locality, weight: sumOfWeights(members.values()) }));
  const weights = plan.kind === 'distribute' ? localityWeights(plan.rules, input.client?.locality, weighed) : undefined;
  const endpoints = groups.map(({ rank, locality, members }, index) => ({
    locality: { region: locality.region, zone: locality.zone, subZone: locality.subzone },
    lbEndpoints: sorted(members),
    priority: priorities.get(rank) ?? 0,
    ...(weights === undefined ? {} : { loadBalancingWeight: weights[index] ?? 0 }),
  }));
  return create(ClusterLoadAssignmentSchema, {
    clusterName: input.cluster,
    endpoints: endpoints.filter(({ loadBalancingWeight }) => loadBalancingWeight !== 0),
  });
}

function groupEndpoints({ portName, endpoints, policy, client }: Omit<AssignmentInput, 'clusterVersion'>): Group[] {
  const plan = localityPlan(policy);
  const scale = weightScale(endpoints);
  const groups = new Map<string, Group>();
  for (const endpoint of endpoints) {
    const port = Object.hasOwn(endpoint.ports, portName) ? endpoint.ports[portName] : undefined;
    if (port === undefined) continue;
    const { region, zone, subzone } = endpoint.locality;
    const rank = plan.kind === 'failover' && client !== undefined ? failoverRank(plan, client, endpoint) : 0;
    const key = `${region}/${zone}/${subzone} ${String(rank).padStart(6, '0')}`;
    const group = groups.get(key) ?? { rank, locality: endpoint.locality, members: new Map<string, LbEndpoint>() };
    groups.set(key, group);
    group.members.set(`${endpoint.address} ${port}`, translateEndpoint(endpoint, port, scale));
  }
  return sorted(groups);
}

/** Values in the order of their keys: the same endpoints in any order give the same bytes. */
function sorted<Value>(map: ReadonlyMap<string, Value>): Value[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}

function translateEndpoint(endpoint: Endpoint, port: number, scale: number): LbEndpoint {
  const weight = Math.max(1, Math.round(endpoint.weight * scale));
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
    ...(weight === 1 ? {} : { loadBalancingWeight: weight }),
    ...(acceptsMeshTls(endpoint, port)
      ? { metadata: { filterMetadata: { [SOCKET_MATCH_FILTER]: { [SOCKET_MATCH_KEY]: TLS_MODE_ISTIO } } } }
      : {}),
  });
}

/** 1, or less where the weights would sum to more than Envoy takes. */
function weightScale(endpoints: readonly Endpoint[]): number {
  const sum = endpoints.reduce((total, { weight }) => total + weight, 0);
  return sum > MAX_WEIGHT_SUM ? MAX_WEIGHT_SUM / sum : 1;
}

function sumOfWeights(endpoints: Iterable<LbEndpoint>): number {
  let sum = 0;
  for (const endpoint of endpoints) sum += endpoint.loadBalancingWeight ?? 1;
  return sum;
}
