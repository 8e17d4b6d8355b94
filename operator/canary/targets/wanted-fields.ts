import type { CanaryStatus } from '../../../api/canary-status.ts';
import type { Observation } from '../observation.ts';
import type { WantedFields } from './borrowed-fields.ts';
import { targetKind } from './registry.ts';

/**
 * What the operator wants of the target's rollout at this point.
 * @param status as just written
 * @returns undefined: leave everything as it is; empty: give everything back
 */
export function wantedFields(status: CanaryStatus, observation: Observation): WantedFields | undefined {
  const { spec, target, rival } = observation;
  if (rival || !target || !spec) return undefined;
  return status.stableRevision === undefined ? {} : targetKind(target.kind).wanted(status, observation, target);
}
