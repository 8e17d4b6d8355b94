import type { TrafficPolicy } from '../mesh/destination-policy.ts';
import type { Labels } from '../mesh/selector.ts';
import type { Locality } from '../mesh/snapshot.ts';

type Setting = NonNullable<NonNullable<TrafficPolicy['loadBalancer']>['localityLbSetting']>;
export type Distribute = NonNullable<Setting['distribute']>;
export type Failover = NonNullable<Setting['failover']>;

/** What localities count for: shares by locality, an order, or nothing. */
export type LocalityPlan =
  | { readonly kind: 'none' }
  | { readonly kind: 'distribute'; readonly rules: Distribute }
  | {
      readonly kind: 'failover';
      readonly regions: Failover;
      readonly labels: readonly string[];
      readonly byPlace: boolean;
    };

/** Labels that stand for parts of a locality, where a pod need not carry them itself. */
const PLACE_LABELS: ReadonlyMap<string, keyof Locality> = new Map([
  ['topology.kubernetes.io/region', 'region'],
  ['topology.kubernetes.io/zone', 'zone'],
  ['topology.istio.io/subzone', 'subzone'],
]);

/**
 * What a policy makes of localities (Istio `localityLbSetting`). An order needs `outlierDetection`, by which alone Envoy finds the endpoints of a
 * locality gone; with it, the nearest come first unless the policy says otherwise.
 */
export function localityPlan(policy: TrafficPolicy): LocalityPlan {
  const {
    enabled = true,
    distribute = [],
    failover = [],
    failoverPriority = [],
  } = policy.loadBalancer?.localityLbSetting ?? {};
  if (!enabled) return { kind: 'none' };
  if (distribute.length > 0) return { kind: 'distribute', rules: distribute };
  if (policy.outlierDetection === undefined) return { kind: 'none' };
  const byPlace = failoverPriority.length === 0 || failover.length > 0;
  return { kind: 'failover', regions: failover, labels: failoverPriority, byPlace };
}

/** Whether localities have weights of their own. They don't for an order: all endpoints of one priority are then chosen from at once. */
export function weighsLocalities(policy: TrafficPolicy): boolean {
  return localityPlan(policy).kind === 'distribute';
}

/** On what of a client the order or weights of endpoints depend: where it is, and which of its labels. */
export function localityDependence(policy: TrafficPolicy): {
  readonly locality: boolean;
  readonly labels: readonly string[];
} {
  const plan = localityPlan(policy);
  if (plan.kind === 'none') return { locality: false, labels: [] };
  if (plan.kind === 'distribute') return { locality: true, labels: [] };
  // With a value after "=" the client's own label does not count.
  const names = [...new Set(plan.labels.filter((label) => !label.includes('=')))];
  return {
    locality: plan.byPlace || names.some((name) => PLACE_LABELS.has(name)),
    labels: names.filter((name) => !PLACE_LABELS.has(name)),
  };
}

/** The value of a label, '' without it; those that stand for a place are made from the locality. */
export function labelValue(name: string, labels: Labels, locality: Locality): string {
  const place = PLACE_LABELS.get(name);
  if (place !== undefined) return locality[place];
  return Object.hasOwn(labels, name) ? (labels[name] ?? '') : '';
}
