import { create } from '@bufbuild/protobuf';
import type { MetricFamily } from '../../api/telemetry-metrics.ts';
import {
  type Config_Tag,
  Config_TagSchema,
} from '../../generated/envoy/envoy/extensions/access_loggers/stats/v3/stats_pb.js';
import { EXPRESSION_TAG, TAGGED_SUFFIX } from '../../proxy/names.ts';
import type { TaggedMetric } from '../mesh/telemetry-metrics.ts';
import { contentHash } from './encoding.ts';

/** Longest value of an expression that is kept, in bytes: callers may choose it. */
const MAX_TAG_BYTES = 128;

/** How a family is counted; undefined: it is not. */
export type StatOf = (
  family: MetricFamily,
) => { readonly name: string; readonly tags: readonly Config_Tag[] } | undefined;

/**
 * How those families are counted that are counted once more: as others, with a tag for each expression behind the others. They have other names, so whoever
 * reads counters for the mesh itself never meets what callers may choose.
 * @param tags that the family has of itself
 */
export function taggedStat(tags: readonly Config_Tag[], tagged: readonly TaggedMetric[]): StatOf {
  return (family) => {
    const found = tagged.find((one) => one.family === family);
    if (found === undefined) return undefined;
    const more = found.expressions.map((expression) =>
      create(Config_TagSchema, { name: expressionTag(expression), valueFormat: expressionFormat(expression) }),
    );
    return { name: `${family}${TAGGED_SUFFIX}`, tags: [...tags, ...more] };
  };
}

/** Name of the tag with what an expression comes to: equal for equal expressions, so that nothing is read as what it no longer is. */
export function expressionTag(expression: string): string {
  return `${EXPRESSION_TAG}${contentHash(expression).slice(0, 12)}`;
}

/** What an expression comes to, as Envoy's access log writes it; nothing, or `-`, where it comes to nothing. */
export function expressionFormat(expression: string): string {
  return `%CEL(${expression}):${MAX_TAG_BYTES}%`;
}
