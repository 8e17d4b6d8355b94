import type { V1Pod } from '@kubernetes/client-node';
import { CANARY_GATE } from '../../api/pod-names.ts';

/** How an endpoint may be used: by everybody, or only as the new revision of a split. */
export type Eligibility = 'ready' | 'gated';

/** What is known of the pod behind an endpoint. */
export interface PodReadiness {
  readonly deleting: boolean;
  readonly heldByGate: boolean;
  /** Its own Ready condition. */
  readonly ready: boolean;
  /** False when its node is lost, upon which nothing the pod says of itself counts any more. */
  readonly nodeReady: boolean;
}

/** What the EndpointSlice says. */
export interface SliceReadiness {
  readonly ready: boolean;
  readonly terminating: boolean;
}

/**
 * True when a pod has our readiness gate, all its containers are ready, and so is every readiness gate of others. Whether
 * our gate is open does not matter: between its opening and kubelet's and the slice's taking note, the pod stays usable.
 */
export function isHeldByOurGateAlone({ metadata, spec, status }: V1Pod): boolean {
  if (metadata?.deletionTimestamp) return false;
  const gates = (spec?.readinessGates ?? []).map(({ conditionType }) => conditionType);
  if (!gates.includes(CANARY_GATE)) return false;
  const required = ['ContainersReady', ...gates.filter((gate) => gate !== CANARY_GATE)];
  const held = new Set((status?.conditions ?? []).filter((one) => one.status === 'True').map(({ type }) => type));
  return required.every((type) => held.has(type));
}

/**
 * Decides whether an endpoint may get traffic; the one place that does.
 * @param pod undefined for endpoints that are no pods
 * @param publishNotReady the Service asks for endpoints whatever their state (`publishNotReadyAddresses`)
 * @returns undefined when it may not
 */
export function matchEligibility(
  slice: SliceReadiness,
  pod: PodReadiness | undefined,
  publishNotReady: boolean,
): Eligibility | undefined {
  const leaving = slice.terminating || pod?.deleting === true;
  if (leaving && !publishNotReady) return undefined;
  const gated = pod?.heldByGate === true && pod.nodeReady && !pod.deleting;
  // The slices of such a Service call every pod ready, so they do not tell whether the gate is open; the pod does.
  if (publishNotReady && gated && !pod.ready) return 'gated';
  if (slice.ready) return 'ready';
  return gated ? 'gated' : undefined;
}
