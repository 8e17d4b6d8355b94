import type { Observation, TargetView } from '../observation.ts';
import { autoscalerCosts } from './autoscaler.ts';
import { targetKind } from './registry.ts';
import { refuseSharedServices, sharedServiceCosts } from './shared-services.ts';
import { sideCosts } from './side-services.ts';
import type { Check, Unfit } from './target-fitness.ts';

/** Checks of all kinds that are made while nothing is being released. */
const AT_REST: readonly Check[] = [
  ({ current, revisions }, { targetTitle }) => {
    const pods = revisions.get(current ?? '')?.pods;
    if (!pods || pods.total === 0 || pods.injected > 0) return undefined;
    return {
      reason: 'TargetUnsupported',
      message: `the pods of ${targetTitle} have no sidecar, so no share of their requests can be tried; label the namespace heddle.dev/injection=enabled and run kubectl rollout restart`,
    };
  },
  (_, { services, sides = [], targetTitle, spec }) =>
    services.length === 0 && spec?.analysis.traffic !== 'None'
      ? {
          reason: 'NoService',
          message: `no Service${sides.length > 0 ? ' but addresses of one side' : ''} selects the pods of ${targetTitle}, so no share of their requests can be tried; make one, or set its spec.selector to the pods' labels, or spec.analysis.traffic to None if it takes no requests`,
        }
      : undefined,
  refuseSharedServices,
];

/**
 * Whether revisions of the target can be tried: the first check that fails speaks.
 * @param releasing true while a revision is under analysis: then only what would do harm counts
 */
export function findUnfit(observation: Observation, releasing: boolean): Unfit | undefined {
  const { target, targetTitle, undiscovered } = observation;
  if (undiscovered !== undefined) return { reason: 'NotDiscovered', message: undiscovered };
  if (!target) {
    return {
      reason: 'TargetMissing',
      message: `there is no ${targetTitle} in this namespace; spec.targetRef.name must name one`,
    };
  }
  const { always, atRest } = targetKind(target.kind);
  for (const check of releasing ? always : [...always, ...atRest, ...AT_REST]) {
    const unfit = check(target, observation);
    if (unfit) return unfit;
  }
  return undefined;
}

/** What the target's kind, the user's own settings, and what stands beside them cost, in sentences; empty when nothing. */
export function costs(target: TargetView, observation: Observation): string[] {
  const shared = observation.shared?.filter(({ service }) => observation.services.includes(service));
  return [
    ...targetKind(target.kind).costs(target),
    ...sharedServiceCosts(shared),
    ...sideCosts(observation),
    ...autoscalerCosts(target, observation),
  ];
}
