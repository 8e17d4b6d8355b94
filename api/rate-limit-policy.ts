import { z } from 'zod';
import { conditions } from './condition.ts';
import type { PolicyStatus } from './peer-authentication.ts';
import { policyAim } from './policy-aim.ts';
import { stringMatch, stringMatches } from './string-match.ts';

export const RATE_LIMIT_POLICY_KIND = 'RateLimitPolicy';

/** Units of a rate, with their length in seconds. */
export const UNIT_SECONDS = { Second: 1, Minute: 60, Hour: 3600, Day: 86_400 } as const;
export type RateUnit = keyof typeof UNIT_SECONDS;

/** Most requests of a unit. */
const MAX_REQUESTS = 1_000_000_000;

const requests = z.int().min(1).max(MAX_REQUESTS);
const unit = z.enum(['Second', 'Minute', 'Hour', 'Day']);

const match = z.object({
  uri: z
    .object({
      exact: z.string().optional().describe('The whole path, letter for letter.'),
      prefix: z.string().optional().describe('What the path begins with.'),
    })
    .optional()
    .describe('Path of the request, without its query.'),
  method: stringMatch.optional().describe('Method of the request.'),
  authority: stringMatch.optional().describe('Host header, :authority in HTTP/2.'),
  headers: stringMatches.optional().describe('Headers, by lower-case name; an empty match means that it is there.'),
});

const counted = z.object({
  kind: z
    .enum(['Caller', 'Header', 'Claim'])
    .describe(
      'Caller: the identity in its certificate. Header: the value of a header. Claim: that of a claim of its JWT, which a RequestAuthentication verifies.',
    ),
  name: z.string().optional().describe('Name of the header, or of the claim; "a.b" is the claim b in the claim a.'),
});

const override = z.object({
  values: z
    .array(z.string())
    .min(1)
    .max(4)
    .describe('Values of what countBy names, in its order. A caller is written "cluster.local/ns/shop/sa/ui".'),
  requests: requests.describe('Requests that it may make in a unit.'),
  unit: unit.optional().describe("Unit, where it is not the limit's own."),
});

const limit = z.object({
  name: z.string().max(63).optional().describe('Name of the limit in this policy; by default its place in the list.'),
  scope: z
    .enum(['Local', 'Global'])
    .optional()
    .describe(
      'Local (default): each proxy counts for itself, of each port, and of mTLS and plaintext apart, by a bucket that fills evenly. Global: all proxies of the policy count together, in windows of one unit that begin with the first request.',
    ),
  requests: requests.describe('Requests in a unit.'),
  unit: unit.describe('Second, Minute, Hour or Day.'),
  burst: requests
    .optional()
    .describe('Of a local limit: requests that may come at once after a pause. Default: those of a unit.'),
  match: z
    .array(match)
    .min(1)
    .max(8)
    .optional()
    .describe('Requests it is about: those that one of these matches. Without any: all.'),
  countBy: z
    .array(counted)
    .min(1)
    .max(4)
    .optional()
    .describe(
      'Each combination of values has a count of its own; requests without a value share one. Without it: one count for all.',
    ),
  overrides: z.array(override).max(256).optional().describe('Other rates, for single values of countBy.'),
});

const connections = z.object({
  max: z.int().min(1).max(MAX_REQUESTS).optional().describe('Connections that may be open; more are closed at once.'),
  perSecond: z.int().min(1).max(MAX_REQUESTS).optional().describe('New connections a second; more are closed at once.'),
});

const bandwidth = z.object({
  receiveKiBPerSecond: z.int().min(1).max(MAX_REQUESTS).optional().describe('KiB that callers may send in a second.'),
  sendKiBPerSecond: z.int().min(1).max(MAX_REQUESTS).optional().describe('KiB that they are sent in a second.'),
});

const response = z.object({
  status: z.int().optional().describe('Status of the answer to a request over its limit. Default 429.'),
  headers: z
    .record(z.string(), z.string())
    .optional()
    .describe('Headers that this answer has besides retry-after, by name.'),
  limitHeaders: z
    .boolean()
    .optional()
    .describe(
      'Whether all answers have x-ratelimit-limit, x-ratelimit-remaining and x-ratelimit-reset, of the limit that is nearest to its end. Default true.',
    ),
});

/** `heddle.dev` RateLimitPolicy. */
export const rateLimitPolicySpec = z.object({
  ...policyAim,
  limits: z.array(limit).max(32).optional().describe('Limits of HTTP requests; a request must be within each.'),
  connections: connections
    .optional()
    .describe(
      'Limits of connections, whatever they carry, in each proxy, of each port. Open ones count apart by mTLS and plaintext, and where the port has no protocol by HTTP and others.',
    ),
  bandwidth: bandwidth
    .optional()
    .describe(
      'Limits of bytes in each proxy, of each port, and of mTLS and plaintext apart: of HTTP the bodies of all requests together, of TCP what all connections carry. What is over waits.',
    ),
  failureMode: z
    .enum(['Open', 'Closed'])
    .optional()
    .describe(
      'What becomes of requests when global counts cannot be asked. Open (default): they pass. Closed: they are answered 503. While a Redis cannot be asked the condition Degraded says so.',
    ),
  response: response.optional().describe('The answer to a request over its limit.'),
  dryRun: z
    .boolean()
    .optional()
    .describe('With true the limits refuse nothing; status says what they would have refused.'),
});

export const rateLimitPolicyStatus = z.object({
  observedGeneration: z.int().optional().describe('metadata.generation this status was made from.'),
  conditions: conditions.optional(),
});

export type RateLimitPolicySpec = z.infer<typeof rateLimitPolicySpec>;
export type RateLimit = z.infer<typeof limit>;
export type RateLimitMatch = z.infer<typeof match>;
export type RateLimitCount = z.infer<typeof counted>;
export type RateLimitAnswer = z.infer<typeof response>;

export interface RateLimitPolicy {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string; uid?: string; generation?: number; creationTimestamp?: string };
  spec?: RateLimitPolicySpec;
  status?: PolicyStatus;
}

/** Name of a limit: its own, or its place in the policy. */
export function limitName({ name }: Pick<RateLimit, 'name'>, index: number): string {
  return name ?? String(index);
}

/** Whether a limit is counted for the whole policy. */
export function isGlobal({ scope }: Pick<RateLimit, 'scope'>): boolean {
  return scope === 'Global';
}
