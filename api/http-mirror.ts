import { z } from 'zod';
import { checkPercent, type Findings } from './field-check.ts';
import { checkDestination, checkFraction, destination, percent } from './http-destination.ts';
import { NULLABLE } from './spec-reader.ts';

/** Fields of an HTTPRoute that mirror requests. */
export const mirrorFields = {
  mirror: destination.optional().describe('Where copies of the requests go; their answers are dropped.'),
  mirrorPercentage: percent.optional().describe('Percentage of the requests that mirror gets; 100 when left out.'),
  mirrorPercent: z.int().optional().describe('Deprecated: mirrorPercentage in whole numbers.').meta(NULLABLE),
  mirror_percent: z.int().optional().describe('Deprecated: mirrorPercentage in whole numbers.').meta(NULLABLE),
  mirrors: z
    .array(
      z.object({
        destination: destination.describe('Where the copies go.'),
        percentage: percent.optional().describe('Percentage of the requests; 100 when left out.'),
      }),
    )
    .optional()
    .describe('Where copies of the requests go, to several places.'),
};

const mirroring = z.object(mirrorFields);

/** The part of an HTTPRoute that mirrors. */
export type Mirroring = z.infer<typeof mirroring>;

/**
 * Reports mirrors that can't be right.
 * @param field path of the rule
 */
export function checkMirrors(found: Findings, field: string, rule: Mirroring): void {
  const { mirror, mirrors = [], mirrorPercentage } = rule;
  if (mirror !== undefined) checkDestination(found, `${field}.mirror`, mirror);
  if (mirror !== undefined && mirrors.length > 0)
    found.error(`${field}.mirrors`, 'must not stand beside mirror; keep mirrors');
  for (const name of ['mirrorPercent', 'mirror_percent'] as const) {
    if (rule[name] === undefined) continue;
    checkPercent(found, `${field}.${name}`, rule[name]);
    found.warn(`${field}.${name}`, 'is deprecated; write mirrorPercentage.value');
  }
  checkPercent(found, `${field}.mirrorPercentage.value`, mirrorPercentage?.value);
  if (mirror === undefined && mirrorPercentage !== undefined) {
    found.warn(`${field}.mirrorPercentage`, 'has no effect without mirror; mirrors have a percentage of their own');
  }
  for (const [index, { destination: target, percentage }] of mirrors.entries()) {
    checkDestination(found, `${field}.mirrors[${index}].destination`, target);
    checkFraction(found, `${field}.mirrors[${index}].percentage`, percentage);
  }
}
