import type { Rule } from './rule.ts';

/** The fields that rules look at. */
interface Analysis {
  readonly stepWeight?: number | undefined;
  readonly maxWeight?: number | undefined;
  readonly stepWeights?: readonly number[] | undefined;
  readonly stepDurations?: readonly string[] | undefined;
  readonly iterations?: number | undefined;
  readonly match?: readonly unknown[] | undefined;
  readonly mirror: boolean;
  readonly mirrorWeight?: number | undefined;
  readonly sessionAffinity?: unknown;
  readonly stickiness?: unknown;
  readonly traffic: 'Requests' | 'None';
  readonly noTrafficPolicy: 'Wait' | 'Promote' | 'Fail';
  readonly noTrafficDeadline?: string | undefined;
}

const present = (...values: readonly unknown[]): number => values.filter((value) => value !== undefined).length;

/** Checks over several fields of an analysis. */
export const ANALYSIS_RULES: readonly Rule<Analysis>[] = [
  {
    cel: '[has(self.iterations), has(self.stepWeight), has(self.stepWeights)].filter(one, one).size() == 1',
    message: 'give exactly one of iterations, stepWeight and stepWeights',
    holds: ({ iterations, stepWeight, stepWeights }) => present(iterations, stepWeight, stepWeights) === 1,
  },
  {
    cel: '!has(self.stepWeights) || self.stepWeights.isSorted()',
    message: 'stepWeights must rise, e.g. [5, 50, 100]',
    holds: ({ stepWeights = [] }) => stepWeights.every((weight, i) => weight >= (stepWeights[i - 1] ?? 0)),
  },
  {
    cel: '!has(self.stepWeight) || !has(self.maxWeight) || self.stepWeight <= self.maxWeight',
    message: 'stepWeight must not be above maxWeight',
    holds: ({ stepWeight = 0, maxWeight = 100 }) => stepWeight <= maxWeight,
  },
  {
    cel: '!has(self.stepDurations) || (has(self.stepWeights) && self.stepDurations.size() == self.stepWeights.size())',
    message: 'stepDurations must have one entry for each of stepWeights',
    holds: ({ stepDurations, stepWeights }) =>
      stepDurations === undefined || stepDurations.length === stepWeights?.length,
  },
  {
    cel: "!has(self.noTrafficDeadline) || self.noTrafficPolicy != 'Wait'",
    message: 'noTrafficDeadline has no meaning with noTrafficPolicy Wait; remove it',
    holds: ({ noTrafficDeadline, noTrafficPolicy }) => noTrafficDeadline === undefined || noTrafficPolicy !== 'Wait',
  },
  {
    cel: '!has(self.match) || has(self.iterations)',
    message: 'match needs iterations: say how many checks must pass',
    holds: ({ match, iterations }) => match === undefined || iterations !== undefined,
  },
  {
    cel: '!has(self.mirrorWeight) || self.mirror',
    message: 'mirrorWeight needs mirror: true',
    holds: ({ mirror, mirrorWeight }) => mirrorWeight === undefined || mirror,
  },
  {
    cel: '[has(self.iterations), has(self.sessionAffinity), has(self.stickiness)].filter(one, one).size() <= 1',
    message: 'keep one of sessionAffinity and stickiness, and neither with iterations, which have no weight',
    holds: ({ iterations, sessionAffinity, stickiness }) => present(iterations, sessionAffinity, stickiness) <= 1,
  },
  {
    cel: "self.traffic == 'Requests' || !(has(self.match) || self.mirror || has(self.sessionAffinity) || has(self.stickiness))",
    message: 'match, mirror, sessionAffinity and stickiness need requests; remove them, or traffic: None',
    holds: ({ traffic, match, mirror, sessionAffinity, stickiness }) =>
      traffic === 'Requests' || (!mirror && present(match, sessionAffinity, stickiness) === 0),
  },
];
