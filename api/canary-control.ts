import { z } from 'zod';
import { canaryAlerts } from './canary-alert.ts';
import { COMMAND_ANNOTATION } from './canary-command.ts';
import { canaryWebhooks } from './canary-webhook.ts';
import { duration } from './duration.ts';

const pause = z.object({
  afterStep: z
    .int()
    .min(0)
    .max(1000)
    .describe('Number of the step, as messages count: 1 is the first, 0 is before it.'),
  duration: duration.optional().describe('How long; without it until the command resume.'),
});

/** Fields of `spec.analysis` by which people and other programs control a release. */
export const controlFields = {
  webhooks: canaryWebhooks.optional().describe('Servers that are asked, or told, as the release goes.'),
  alerts: canaryAlerts.optional().describe('Where people hear of the release.'),
  pauses: z
    .array(pause)
    .max(100)
    .optional()
    .describe(
      'Steps after which the release stands still with its weight although all checks pass. Checks go on meanwhile.',
    ),
  rollbackWindow: duration
    .optional()
    .describe(
      'How long the new revision, promoted, takes all requests while the old one is kept whole. Checks and rollback hooks go on; if they fail, the old one has all requests back at once.',
    ),
};

/** Canaries that must be at rest before this one sends the first request to a new revision. */
export const canaryDependencies = z
  .array(
    z.object({
      name: z.string().min(1).max(253).describe('Name of the Canary.'),
      namespace: z.string().min(1).max(63).optional().describe('Its namespace; that of this Canary unless told.'),
    }),
  )
  .max(16);

/** Fields of the status by which any replica of the operator goes on. */
export const controlStatus = {
  command: z
    .object({
      value: z.string().describe('As the annotation had it.'),
      result: z.enum(['Done', 'Refused']).describe('What became of it.'),
      message: z.string().describe('What was done, or why not.'),
      time: z.string().describe('When (RFC 3339).'),
      removed: z.boolean().optional().describe('The annotation is gone, so that the same can be told again.'),
    })
    .optional()
    .describe(`The last command that the annotation ${COMMAND_ANNOTATION} gave.`),
  opened: z.boolean().optional().describe('What the first request waits for (dependsOn, confirm-rollout) has come.'),
  addressed: z
    .boolean()
    .optional()
    .describe('Callers have been led to the new revision by its addresses, so that pre-rollout hooks can be asked.'),
  tested: z.boolean().optional().describe('All pre-rollout hooks have said yes.'),
  paused: z.string().optional().describe('Since when the command pause is in force (RFC 3339).'),
  hold: z
    .object({
      point: z.enum(['Start', 'Advance', 'Promotion']).describe('What is held back.'),
      since: z.string().describe('Since when (RFC 3339).'),
      resumed: z.boolean().optional().describe('The command resume has ended the pause of this step.'),
      commanded: z.boolean().optional().describe('The command promote has ended the analysis.'),
      unproven: z.boolean().optional().describe('A check failed meanwhile; the next that passes counts.'),
    })
    .optional()
    .describe('Where the release is held although its checks pass.'),
  rollbackWindow: z
    .object({
      since: z.string().describe('When it began (RFC 3339).'),
      ended: z.boolean().optional().describe('The command promote has ended it.'),
    })
    .optional()
    .describe('The window in which the promoted revision can still be taken back at once.'),
  postRollout: z
    .object({ revision: z.string(), phase: z.string() })
    .optional()
    .describe('A release that has ended, whose post-rollout hooks have not all answered yet.'),
};
