import { z } from 'zod';

/** How a release can end. */
export const RELEASE_OUTCOMES = [
  'Promoted',
  'ReleasedUntried',
  'GivenUp',
  'Superseded',
  'Reverted',
  'Dropped',
] as const;

const pastRelease = z.object({
  revision: z.string().describe('Revision that was to be released.'),
  stableRevision: z.string().optional().describe('Revision that it was to replace.'),
  startTime: z.string().meta({ format: 'date-time', description: 'When it was found.' }),
  endTime: z
    .string()
    .optional()
    .meta({ format: 'date-time', description: 'When it came to its end; absent while it is under way.' }),
  outcome: z
    .enum(RELEASE_OUTCOMES)
    .optional()
    .describe(
      'Promoted, ReleasedUntried (without an analysis), GivenUp, Superseded by a newer template, Reverted to the stable one, or Dropped because the target could not be held any more.',
    ),
  message: z.string().optional().describe('Why it ended so.'),
});

export const releaseHistory = z.array(pastRelease);
export type PastRelease = z.infer<typeof pastRelease>;
