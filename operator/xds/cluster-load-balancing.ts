import { create } from '@bufbuild/protobuf';
import {
  type Cluster,
  Cluster_LbPolicy,
  Cluster_MaglevLbConfigSchema,
  Cluster_RingHashLbConfigSchema,
  type Cluster_SlowStartConfig,
  Cluster_SlowStartConfigSchema,
  ClusterSchema,
} from '../../generated/envoy/envoy/config/cluster/v3/cluster_pb.js';
import type { TrafficPolicy } from '../mesh/destination-policy.ts';
import { policyDuration, policyMs } from './cluster-durations.ts';
import type { HashPolicy } from './http-route-hashes.ts';
import { weighsLocalities } from './locality-setting.ts';

/** Envoy's, and Istio's, least number of points on a ring where nobody says. */
const RING_SIZE = 1024;
/** Istio's defaults of `warmup`. */
const WARMUP_PERCENT = 10;
const WARMUP_AGGRESSION = 1;

type LoadBalancer = NonNullable<TrafficPolicy['loadBalancer']>;

/**
 * How a cluster chooses an endpoint (Istio `loadBalancer`), least requests first unless the policy says otherwise. Not for clusters that go to
 * the original destination: there is nothing to choose.
 */
export function applyLoadBalancing(cluster: Cluster, policy: TrafficPolicy): void {
  const { loadBalancer = {}, outlierDetection } = policy;
  // Better to fail at once, and be retried elsewhere, than to try hosts known to be gone.
  const panic = outlierDetection?.minHealthPercent ?? 0;
  cluster.commonLbConfig = create(ClusterSchema, {
    commonLbConfig: {
      healthyPanicThreshold: { value: panic },
      ...(weighsLocalities(policy)
        ? { localityConfigSpecifier: { case: 'localityWeightedLbConfig', value: {} } as const }
        : {}),
    },
  }).commonLbConfig;
  if (loadBalancer.consistentHash !== undefined) applyHash(cluster, loadBalancer.consistentHash);
  else applySimple(cluster, loadBalancer);
}

/** What of a request chooses its endpoint (Istio `consistentHash`): one thing, or nothing. */
export function hashPolicies(policy: TrafficPolicy): readonly HashPolicy[] {
  const hash = policy.loadBalancer?.consistentHash;
  if (hash === undefined) return [];
  if (hash.httpHeaderName) return [{ kind: 'header', name: hash.httpHeaderName }];
  if (hash.httpCookie !== undefined) {
    const { name, path, ttl } = hash.httpCookie;
    const ttlMs = policyMs(ttl);
    return [{ kind: 'cookie', name, ...(path ? { path } : {}), ...(ttlMs === undefined ? {} : { ttlMs }) }];
  }
  if (hash.useSourceIp) return [{ kind: 'source-ip' }];
  if (hash.httpQueryParameterName) return [{ kind: 'query', name: hash.httpQueryParameterName }];
  return [];
}

function applyHash(
  cluster: Cluster,
  { maglev, ringHash, minimumRingSize }: NonNullable<LoadBalancer['consistentHash']>,
) {
  if (maglev !== undefined) {
    cluster.lbPolicy = Cluster_LbPolicy.MAGLEV;
    if (!maglev.tableSize) return;
    const value = create(Cluster_MaglevLbConfigSchema, { tableSize: BigInt(maglev.tableSize) });
    cluster.lbConfig = { case: 'maglevLbConfig', value };
    return;
  }
  cluster.lbPolicy = Cluster_LbPolicy.RING_HASH;
  const size = ringHash?.minimumRingSize || minimumRingSize || RING_SIZE;
  const value = create(Cluster_RingHashLbConfigSchema, { minimumRingSize: BigInt(size) });
  cluster.lbConfig = { case: 'ringHashLbConfig', value };
}

function applySimple(cluster: Cluster, loadBalancer: LoadBalancer): void {
  const { simple } = loadBalancer;
  if (simple === 'RANDOM') {
    cluster.lbPolicy = Cluster_LbPolicy.RANDOM;
    return;
  }
  const slowStartConfig = buildSlowStart(loadBalancer);
  const name = simple === 'ROUND_ROBIN' ? 'roundRobinLbConfig' : 'leastRequestLbConfig';
  cluster.lbPolicy = simple === 'ROUND_ROBIN' ? Cluster_LbPolicy.ROUND_ROBIN : Cluster_LbPolicy.LEAST_REQUEST;
  if (slowStartConfig === undefined) return;
  cluster.lbConfig = create(ClusterSchema, { lbConfig: { case: name, value: { slowStartConfig } } }).lbConfig;
}

function buildSlowStart({ warmup, warmupDurationSecs }: LoadBalancer): Cluster_SlowStartConfig | undefined {
  const slowStartWindow = policyDuration(warmup?.duration ?? warmupDurationSecs);
  if (slowStartWindow === undefined) return undefined;
  if (warmup === undefined) return create(Cluster_SlowStartConfigSchema, { slowStartWindow });
  return create(Cluster_SlowStartConfigSchema, {
    slowStartWindow,
    // Envoy wants the name of a runtime value that would override it.
    aggression: { defaultValue: warmup.aggression ?? WARMUP_AGGRESSION, runtimeKey: 'heddle.warmup.aggression' },
    minWeightPercent: { value: warmup.minimumPercent ?? WARMUP_PERCENT },
  });
}
