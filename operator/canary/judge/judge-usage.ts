import type { UsageMetric } from '../../../api/canary-metric.ts';
import type { MetricResult, RecordedMetric, RoundInputs } from '../../../api/canary-round.ts';
import type { RevisionUsage } from '../../../api/canary-usage.ts';
import { compareUsage } from './compare-usage.ts';
import { shown } from './metric-kind.ts';

/** Two samples of 15 s that begin in the window, the first up to 15 s late, and the time until they are read. */
const SAMPLING_MS = 60_000;

/**
 * Judges what the new revision's pods used. Samples are few and hang together, so there are no odds in it: the mean over all pods and the window is
 * taken as it is, once each pod has two samples. Where it breaks the bound that is a failed check.
 * @param name of the metric
 */
export function judgeUsage(name: UsageMetric, metric: RecordedMetric, inputs: RoundInputs): MetricResult {
  const { max, maxIncrease } = metric;
  const answer = inputs.usage?.find((one) => one.metric === name);
  if (answer === undefined) return { name, verdict: 'Pending', message: `${name}: what pods use is asked for` };
  const { next, stable, error } = answer;
  const compared = maxIncrease !== undefined && stable.pods > 0;
  const short = shortOf(next, 'new') ?? (compared ? shortOf(stable, 'stable') : undefined);
  if (short !== undefined) {
    if (error !== undefined) return { name, verdict: 'MetricUnavailable', message: `${name}: ${error}` };
    const verdict = inputs.elapsedMs < SAMPLING_MS ? 'Pending' : 'InsufficientEvidence';
    return { name, verdict, message: `${name}: ${short}` };
  }
  const ofLimit = max === undefined ? undefined : judgeShare(name, next, max);
  if (ofLimit !== undefined && ofLimit.verdict !== 'Passed') return ofLimit;
  return maxIncrease === undefined
    ? (ofLimit ?? { name, verdict: 'Passed' })
    : compareUsage(name, maxIncrease, answer, inputs);
}

/** What is lacking of a revision's samples, in words. */
function shortOf({ pods, measured, missing = [] }: RevisionUsage, which: string): string | undefined {
  if (pods > 0 && measured >= pods) return undefined;
  if (pods === 0) return `no pod of the ${which} revision has served for long enough`;
  const some = missing.length === 0 ? '' : `, not ${missing.join(', ')}`;
  return `${measured} of ${pods} pods of the ${which} revision have two samples in the window${some}`;
}

function judgeShare(name: string, { share, unlimited }: RevisionUsage, max: number): MetricResult {
  if (share === undefined) {
    const todo =
      unlimited === undefined ? 'there is no value' : `there is no limit to hold it against; set ${unlimited}`;
    return { name, verdict: 'MetricUnavailable', message: `${name}: ${todo}` };
  }
  const value = Math.round(share * 1000) / 1000;
  if (share <= max) return { name, verdict: 'Passed', value };
  return { name, verdict: 'Failed', value, message: `${name} ${shown(share)} % of the limit is above ${max} %` };
}
