import type { Findings } from './field-check.ts';
import { hasManyValues, readMetricTag } from './metric-tag.ts';
import type { TelemetryMetrics } from './telemetry.ts';
import { METRIC_LABELS, uncountedMetric } from './telemetry-metrics.ts';

const MAX_OVERRIDES = 64;
const MAX_TAGS = 32;
/** Longest label, and longest constant value. */
const MAX_LABEL = 64;
const MAX_CONSTANT = 256;

/** Judges one part of a Telemetry's `metrics`, but for its providers. @param field path of the part */
export function checkMetrics(found: Findings, field: string, { overrides = [], ...one }: TelemetryMetrics): void {
  if (one.reportingInterval !== undefined) {
    found.warn(`${field}.reportingInterval`, 'is not in force: connections are counted as they open and close');
  }
  if (overrides.length > MAX_OVERRIDES) found.error(`${field}.overrides`, `must be at most ${MAX_OVERRIDES}`);
  for (const [index, { match, disabled, tagOverrides = {} }] of overrides.entries()) {
    const inner = `${field}.overrides[${index}]`;
    if (match?.metric !== undefined && match.customMetric !== undefined) {
      found.error(`${inner}.match.customMetric`, 'must not be set beside metric');
    } else {
      const uncounted = uncountedMetric(match);
      if (uncounted !== undefined) found.warn(`${inner}.${uncounted.field}`, uncounted.problem);
    }
    const tags = Object.entries(tagOverrides);
    if (tags.length > MAX_TAGS) found.error(`${inner}.tagOverrides`, `must have at most ${MAX_TAGS} labels`);
    if (disabled === true && tags.length > 0) {
      found.warn(`${inner}.tagOverrides`, 'has no effect where the metric is disabled');
    }
    for (const [name, tag] of tags) checkTag(found, `${inner}.tagOverrides[${name}]`, name, tag);
  }
}

type TagOverride = NonNullable<NonNullable<TelemetryMetrics['overrides']>[number]['tagOverrides']>[string];

function checkTag(found: Findings, field: string, name: string, { operation = 'UPSERT', value = '' }: TagOverride) {
  const problem = labelProblem(name);
  if (problem !== undefined) found.error(field, problem);
  if (operation === 'REMOVE') {
    if (value !== '') found.error(`${field}.value`, 'must not be set for REMOVE');
    else if (!METRIC_LABELS.has(name)) found.warn(field, 'is no label that metrics have, unless another part adds it');
    return;
  }
  const read = readMetricTag(value);
  if ('problem' in read) found.error(`${field}.value`, read.problem);
  else if ('constant' in read) {
    if (read.constant.length > MAX_CONSTANT) {
      found.error(`${field}.value`, `must have at most ${MAX_CONSTANT} characters`);
    }
  } else if (hasManyValues(read.expression)) {
    found.warn(
      `${field}.value`,
      'may come to very many values: each port of a sidecar counts some 1,000 sets of labels, and what is beyond is on no line',
    );
  }
}

function labelProblem(name: string): string | undefined {
  if (name === 'le') return 'must not be le, by which Prometheus tells buckets of a histogram apart';
  if (name.startsWith('__')) return 'must not begin with two underscores, as labels of Prometheus itself do';
  if (name.length <= MAX_LABEL && /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) return undefined;
  return `must be the name of a label: at most ${MAX_LABEL} letters, digits and underscores, with no digit first`;
}
