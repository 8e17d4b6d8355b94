import { z } from 'zod';
import { SIDE_ANNOTATION } from './canary-side.ts';
import { duration } from './duration.ts';
import { istioDurationMs } from './istio-duration.ts';
import { withRules } from './rule.ts';

/** When a hook is asked; Flagger's names. */
export const HOOK_TYPES = [
  'confirm-rollout',
  'pre-rollout',
  'rollout',
  'confirm-traffic-increase',
  'confirm-promotion',
  'post-rollout',
  'rollback',
  'event',
] as const;

/** A host, no user and no password: those would stand in the status and in logs. */
const URL_PATTERN = /^https?:\/\/[^/?#@ ]+([/?#][^ ]*)?$/;

/** An address that the operator may be told to call. */
export const httpUrl = withRules(z.string().max(2048), [
  {
    cel: "self.matches('^https?://[^/?#@ ]+([/?#][^ ]*)?$')",
    message: 'must be a URL of http or https without a user, e.g. "http://gate.ops:8080/check"',
    holds: (text) => URL_PATTERN.test(text) && URL.canParse(text),
  },
]);

const webhook = z.object({
  type: z
    .enum(HOOK_TYPES)
    .default('rollout')
    .describe(
      'confirm-rollout: before the first request, asked until it says yes. pre-rollout: once the first pods are there, before the first request; a no is a failed check. rollout: in each window of the analysis; a no is a failed check. confirm-traffic-increase: before each rise of the weight. confirm-promotion: before the promotion. rollback: as long as the release can be taken back; a yes gives the revision up. post-rollout: once, after the release has ended. event: told of every event.',
    ),
  name: z.string().min(1).max(63).describe('Name of the hook; events and messages have it.'),
  url: httpUrl.describe(
    `Where the question is sent by POST. An answer of 2xx is a yes, anything else a no. The operator asks without a sidecar, so the address of a side (a Service with the annotation ${SIDE_ANNOTATION}) is the stable revision to it until the promotion; have it ask a program with a sidecar, which reaches the new one by such an address.`,
  ),
  timeout: withRules(duration, [
    {
      cel: "self.matches('^(?:[0-9]+(?:[.][0-9]+)?(?:ms|s|m|h))+$') && duration(self) > duration('0s') && duration(self) <= duration('10m')",
      message: 'must be a positive duration of at most "10m", e.g. "10s"',
      // What is no duration at all is told by the rule before.
      holds: (text) => (istioDurationMs(text) ?? 0) <= 600_000,
    },
  ])
    .default('10s')
    .describe('How long one try may take.'),
  retries: z
    .int()
    .min(0)
    .max(10)
    .optional()
    .describe('Further tries when there is no answer or one of 5xx, within the same question.'),
  metadata: z
    .record(z.string().max(253), z.string().max(4096))
    .optional()
    .describe('Sent along as metadata, as it stands here.'),
  muteAlert: z
    .boolean()
    .optional()
    .describe('Sends no alert of this hook: that the release waits for it, or that it says no once all is over.'),
  disableTLS: z.boolean().optional().describe("Takes the server's certificate for https as it is, unchecked."),
});

export const canaryWebhooks = z
  .array(webhook)
  .max(32)
  .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] });

export type CanaryWebhook = z.infer<typeof webhook>;
export type HookType = CanaryWebhook['type'];
