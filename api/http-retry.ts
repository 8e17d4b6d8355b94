import { z } from 'zod';
import type { Findings } from './field-check.ts';
import { checkDuration, istioDurationMs } from './istio-duration.ts';
import { NULLABLE } from './spec-reader.ts';

/** Istio's HTTPRetry. */
export const httpRetry = z.object({
  attempts: z.int().optional().describe('How many times a request is tried again at most; 0: never.'),
  perTryTimeout: z.string().optional().describe('How long each try may take, as in 2s.'),
  retryOn: z.string().optional().describe("What is tried again: Envoy's conditions and HTTP statuses, with commas."),
  retryRemoteLocalities: z.boolean().optional().describe('Also try endpoints of other localities.').meta(NULLABLE),
  retryIgnorePreviousHosts: z.boolean().optional().describe('Prefer endpoints that were not tried yet.').meta(NULLABLE),
  backoff: z.string().optional().describe('Least time between two tries, as in 25ms.'),
});

export type HttpRetry = z.infer<typeof httpRetry>;

/** Conditions that Envoy knows for HTTP and for gRPC. */
export const RETRY_CONDITIONS: ReadonlySet<string> = new Set([
  ...['5xx', 'gateway-error', 'reset', 'reset-before-request', 'connect-failure', 'envoy-ratelimited', 'retriable-4xx'],
  ...['refused-stream', 'retriable-status-codes', 'retriable-headers', 'http3-post-connect-failure'],
  ...['cancelled', 'deadline-exceeded', 'internal', 'resource-exhausted', 'unavailable'],
]);

/** The words of a `retryOn`, without the white space and the empty ones that Envoy passes over. */
export const retryConditions = (retryOn: string): string[] =>
  retryOn
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');

/** Whether a word of `retryOn` is an HTTP status, which Envoy takes in a list of its own. */
export const isRetryStatus = (word: string): boolean => /^[1-5][0-9]{2}$/.test(word);

/**
 * Reports retries that can't be right.
 * @param field path of the retries
 * @param timeout the rule's `timeout`
 */
export function checkRetry(found: Findings, field: string, retry: HttpRetry, timeout: string | undefined): void {
  const { attempts = 0, perTryTimeout, retryOn, retryRemoteLocalities, backoff } = retry;
  if (attempts < 0) found.error(`${field}.attempts`, `must not be negative, and is ${attempts}`);
  if (attempts === 0) {
    const idle = Object.entries({ perTryTimeout, retryOn: retryOn || undefined, retryRemoteLocalities });
    const [name] = idle.find(([, value]) => value !== undefined) ?? [];
    if (name !== undefined)
      found.error(`${field}.attempts`, `must be at least 1 where ${name} is set; 0 turns retries off`);
  }
  checkDuration(found, `${field}.perTryTimeout`, perTryTimeout);
  checkDuration(found, `${field}.backoff`, backoff);
  for (const word of retryConditions(retryOn ?? '')) {
    if (RETRY_CONDITIONS.has(word) || isRetryStatus(word)) continue;
    found.error(
      `${field}.retryOn`,
      `must not have "${word}"; Envoy knows HTTP statuses and ${[...RETRY_CONDITIONS].join(', ')}`,
    );
  }
  const whole = istioDurationMs(timeout ?? '');
  const each = istioDurationMs(perTryTimeout ?? '');
  if (whole !== undefined && each !== undefined && whole > 0 && whole < each) {
    found.warn(
      `${field}.perTryTimeout`,
      `is longer than timeout (${timeout}), which ends the request before; shorten it`,
    );
  }
}
