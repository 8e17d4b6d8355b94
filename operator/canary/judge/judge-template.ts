import type { MetricResult, RecordedMetric, TemplateAnswer } from '../../../api/canary-round.ts';

/** Judges a value that a MetricTemplate gave. It comes without samples, so it is taken as it is; what is no number is never a pass. */
export function judgeTemplate(metric: RecordedMetric, answers: readonly TemplateAnswer[]): MetricResult {
  const { name } = metric;
  const answer = answers.find((one) => one.metric === name);
  if (answer === undefined) return { name, verdict: 'Pending', message: `the answer for ${name} is waited for` };
  const { query, value, stableValue, error } = answer;
  const facts = {
    name,
    query,
    ...(value === undefined ? {} : { value }),
    ...(stableValue === undefined ? {} : { stableValue }),
  };
  if (error !== undefined || value === undefined) {
    return { ...facts, verdict: 'MetricUnavailable', message: `${name}: ${error ?? 'there is no value'}` };
  }
  const message = broken(metric, value, stableValue);
  return message === undefined
    ? { ...facts, verdict: 'Passed' }
    : { ...facts, verdict: message.verdict, message: `${name} ${message.words}` };
}

type Finding = { readonly verdict: 'Failed' | 'MetricUnavailable'; readonly words: string };

function broken(metric: RecordedMetric, value: number, stable: number | undefined): Finding | undefined {
  const { min, max, maxDecrease, maxIncrease } = metric;
  const failed = (words: string): Finding => ({ verdict: 'Failed', words: `${value} ${words}` });
  if (min !== undefined && value < min) return failed(`is below ${min}`);
  if (max !== undefined && value > max) return failed(`is above ${max}`);
  if (maxDecrease === undefined && maxIncrease === undefined) return undefined;
  if (stable === undefined) return { verdict: 'MetricUnavailable', words: 'has no value of the stable revision' };
  const reach = Math.abs(stable) / 100;
  if (maxDecrease !== undefined && value < stable - maxDecrease * reach) {
    return failed(`is more than ${maxDecrease} % below the ${stable} of the stable revision`);
  }
  if (maxIncrease !== undefined && value > stable + maxIncrease * reach) {
    return failed(`is more than ${maxIncrease} % above the ${stable} of the stable revision`);
  }
  return undefined;
}
