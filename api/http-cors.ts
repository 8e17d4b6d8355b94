import { z } from 'zod';
import type { Findings } from './field-check.ts';
import { isHeaderName } from './http-headers.ts';
import { checkDuration, istioDurationMs } from './istio-duration.ts';
import { NULLABLE } from './spec-reader.ts';
import { stringMatch, stringMatchProblems } from './string-match.ts';

/** Istio's CorsPolicy. */
export const corsPolicy = z.object({
  allowOrigins: z.array(stringMatch).optional().describe('Origins that may call.'),
  allowOrigin: z.array(z.string()).optional().describe('Deprecated: origins, letter for letter.'),
  allowMethods: z.array(z.string()).optional().describe('Methods that may be used.'),
  allowHeaders: z.array(z.string()).optional().describe('Request headers that may be used.'),
  exposeHeaders: z.array(z.string()).optional().describe('Response headers that scripts may read.'),
  maxAge: z.string().optional().describe('How long the answer to a preflight may be kept, in whole seconds.'),
  allowCredentials: z.boolean().optional().describe('Whether requests may carry credentials.').meta(NULLABLE),
  unmatchedPreflights: z
    .enum(['UNSPECIFIED', 'FORWARD', 'IGNORE'])
    .optional()
    .describe('What happens to preflights of other origins; FORWARD, to the destination, when left out.'),
});

export type CorsPolicy = z.infer<typeof corsPolicy>;

/** Reports what can't be right about a policy on cross-origin requests. */
export function checkCors(found: Findings, field: string, policy: CorsPolicy): void {
  for (const [index, origin] of (policy.allowOrigins ?? []).entries()) {
    const place = `${field}.allowOrigins[${index}]`;
    found.errors.push(...stringMatchProblems(origin, place));
    if (origin.exact === '') found.error(`${place}.exact`, 'must be an origin such as "https://shop.example", or "*"');
  }
  if (policy.allowOrigin !== undefined)
    found.warn(`${field}.allowOrigin`, 'is deprecated; write allowOrigins with exact');
  for (const list of ['allowMethods', 'allowHeaders', 'exposeHeaders'] as const) {
    for (const [index, name] of (policy[list] ?? []).entries()) {
      // `*` is a token too.
      if (isHeaderName(name)) continue;
      found.error(
        `${field}.${list}[${index}]`,
        `must be the name of a ${list === 'allowMethods' ? 'method' : 'header'}, or "*"`,
      );
    }
  }
  checkDuration(found, `${field}.maxAge`, policy.maxAge);
  if ((istioDurationMs(policy.maxAge ?? '') ?? 0) % 1000 !== 0) {
    found.error(`${field}.maxAge`, `must be in whole seconds, and is "${policy.maxAge}"`);
  }
}
