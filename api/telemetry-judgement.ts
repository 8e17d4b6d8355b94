import { accessLogFormatProblem } from './access-log-format.ts';
import { celExpressionProblem } from './cel-expression.ts';
import type { Findings } from './field-check.ts';
import type { JudgedSpec } from './field-problem.ts';
import { isHeaderName } from './http-headers.ts';
import { checkAim, targetsOf } from './policy-aim.ts';
import { judgeSpec } from './spec-reader.ts';
import {
  type TelemetryAccessLogging,
  type TelemetrySpec,
  type TelemetryTag,
  type TelemetryTracing,
  telemetrySpec,
} from './telemetry.ts';
import { checkMetrics } from './telemetry-metrics-judgement.ts';

/** Longest name and value of a tag, in characters. */
const MAX_TAG = 256;
const MAX_VALUE = 1024;
const MAX_TAGS = 64;

/**
 * Judges a Telemetry's spec: its schema, then what Istio or Envoy refuses, then what is legal and hardly meant.
 * @param json the spec, of any shape
 */
export function judgeTelemetry(json: unknown): JudgedSpec<TelemetrySpec> {
  return judgeSpec(telemetrySpec, json, checkSpec);
}

function checkSpec(found: Findings, spec: TelemetrySpec): void {
  checkAim(found, spec);
  const { tracing = [], metrics = [], accessLogging = [] } = spec;
  if (tracing.length + metrics.length + accessLogging.length === 0) {
    found.warn('spec', 'has none of tracing, metrics and accessLogging: it changes nothing');
  }
  if (targetsOf(spec).length > 0) {
    found.warn(
      'spec.targetRefs',
      'is about all that the pods of these Services do, whichever Service they are called by',
    );
  }
  for (const [index, one] of tracing.entries()) checkTracing(found, `spec.tracing[${index}]`, one);
  for (const [index, one] of metrics.entries()) {
    checkProviders(found, `spec.metrics[${index}]`, one.providers);
    checkMetrics(found, `spec.metrics[${index}]`, one);
  }
  for (const [index, one] of accessLogging.entries()) checkAccessLogging(found, `spec.accessLogging[${index}]`, one);
}

function checkProviders(found: Findings, field: string, providers: readonly { readonly name: string }[] = []): void {
  for (const [index, { name }] of providers.entries()) {
    if (name === '') found.error(`${field}.providers[${index}].name`, 'must be the name of a provider');
  }
}

function checkAccessLogging(found: Findings, field: string, one: TelemetryAccessLogging): void {
  checkProviders(found, field, one.providers);
  const expression = one.filter?.expression;
  if (one.filter !== undefined && expression === undefined) {
    found.error(`${field}.filter.expression`, 'must be an expression in CEL; leave the filter out to log everything');
  } else if (expression !== undefined) {
    const problem = celExpressionProblem(expression);
    if (problem !== undefined) found.error(`${field}.filter.expression`, problem);
  }
  if (one.disabled === true && expression !== undefined) {
    found.warn(`${field}.filter`, 'has no effect where logging is disabled');
  }
}

function checkTracing(found: Findings, field: string, one: TelemetryTracing): void {
  checkProviders(found, field, one.providers);
  if ((one.providers ?? []).length > 1) {
    found.error(`${field}.providers`, 'must name one provider: spans go to one alone');
  }
  const percent = one.randomSamplingPercentage;
  if (percent !== undefined && !(percent >= 0 && percent <= 100)) {
    found.error(`${field}.randomSamplingPercentage`, `must be a percentage from 0 to 100, and is ${percent}`);
  }
  const tags = Object.entries(one.customTags ?? {});
  if (tags.length > MAX_TAGS) found.error(`${field}.customTags`, `must have at most ${MAX_TAGS} tags`);
  for (const [name, tag] of tags) checkTag(found, `${field}.customTags[${name}]`, name, tag);
}

function checkTag(found: Findings, field: string, name: string, tag: TelemetryTag): void {
  if (name === '' || name.length > MAX_TAG) found.error(field, `must have a name of 1 to ${MAX_TAG} characters`);
  const kinds = (['literal', 'environment', 'header', 'formatter'] as const).filter((kind) => tag[kind] !== undefined);
  if (kinds.length !== 1) {
    found.error(field, 'must have one of literal, environment, header and formatter');
    return;
  }
  const { literal, environment, header, formatter } = tag;
  if (literal !== undefined) checkText(found, `${field}.literal.value`, literal.value, 1);
  if (environment !== undefined) {
    checkText(found, `${field}.environment.name`, environment.name, 1);
    checkText(found, `${field}.environment.defaultValue`, environment.defaultValue ?? '', 0);
  }
  if (header !== undefined) {
    if (!isHeaderName(header.name)) found.error(`${field}.header.name`, 'must name a header: letters, digits and "-"');
    checkText(found, `${field}.header.defaultValue`, header.defaultValue ?? '', 0);
  }
  if (formatter !== undefined) {
    checkText(found, `${field}.formatter.value`, formatter.value, 1);
    const problem = accessLogFormatProblem(formatter.value);
    if (problem !== undefined) found.error(`${field}.formatter.value`, problem);
  }
}

function checkText(found: Findings, field: string, text: string, least: number): void {
  if (text.length < least || text.length > MAX_VALUE) {
    found.error(field, `must have ${least} to ${MAX_VALUE} characters`);
  }
}
