import { z } from 'zod';
import { canaryMatch } from './canary-match.ts';
import { sessionAffinity } from './session-affinity.ts';
import { stickiness } from './stickiness.ts';

/** What an analysis says of which requests go to a new revision, beside their share. */
const trafficTerms = z.object({
  match: z.array(canaryMatch).optional(),
  sessionAffinity: sessionAffinity.optional(),
  stickiness: stickiness.optional(),
});

export type TrafficTerms = z.infer<typeof trafficTerms>;

/**
 * Reads the terms of an analysis as the API server has it, which may have taken what the webhook would have refused.
 * @returns undefined when they are not valid; then none is in force
 */
export function readTrafficTerms(analysis: unknown): TrafficTerms | undefined {
  return trafficTerms.safeParse(analysis ?? {}).data;
}

/** Equal for terms that say the same, so that whoever waits for terms can tell whether the mesh has these; '' for none. */
export function termsKey({ match, sessionAffinity, stickiness }: TrafficTerms): string {
  if (match === undefined && sessionAffinity === undefined && stickiness === undefined) return '';
  return JSON.stringify([match, sessionAffinity, stickiness]);
}
