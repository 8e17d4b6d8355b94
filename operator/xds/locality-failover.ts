import type { Labels } from '../mesh/selector.ts';
import type { Endpoint, Locality } from '../mesh/snapshot.ts';
import { type Failover, type LocalityPlan, labelValue } from './locality-setting.ts';

/** Where a client runs, and its labels. */
export interface AssignmentClient {
  readonly locality: Locality;
  readonly labels: Labels;
}

/** Number of ranks of {@link placeRank}. */
const PLACE_RANKS = 5;

/**
 * How late an endpoint's turn comes for a client, as Istio orders them: by the first label of `failoverPriority` that differs, then by place.
 * Ranks may have gaps; {@link contiguous} closes them.
 */
export function failoverRank(
  plan: Extract<LocalityPlan, { kind: 'failover' }>,
  client: AssignmentClient,
  endpoint: Endpoint,
): number {
  const byLabel = labelRank(plan.labels, client, endpoint);
  return plan.byPlace ? byLabel * PLACE_RANKS + placeRank(plan.regions, client.locality, endpoint.locality) : byLabel;
}

/** Envoy's priorities: 0 for the lowest rank there is, and so on without a gap. */
export function contiguous(ranks: Iterable<number>): ReadonlyMap<number, number> {
  const distinct = [...new Set(ranks)].sort((a, b) => a - b);
  return new Map(distinct.map((rank, priority) => [rank, priority]));
}

/** 0 when all labels are the client's, or as `key=value` says; the more, the sooner one differs. */
function labelRank(labels: readonly string[], client: AssignmentClient, endpoint: Endpoint): number {
  const differing = labels.findIndex((label) => {
    const [name = '', wanted] = label.split('=', 2);
    const value = wanted ?? labelValue(name, client.labels, client.locality);
    return labelValue(name, endpoint.labels, endpoint.locality) !== value;
  });
  return differing === -1 ? 0 : labels.length - differing;
}

/** Same subzone, zone, region, elsewhere; and last what is elsewhere while another region is to take over. */
function placeRank(regions: Failover, from: Locality, to: Locality): number {
  if (from.region === to.region) {
    if (from.zone !== to.zone) return 2;
    return from.subzone === to.subzone ? 0 : 1;
  }
  const rule = regions.find((region) => region.from === from.region);
  return rule === undefined || rule.to === to.region ? 3 : 4;
}
