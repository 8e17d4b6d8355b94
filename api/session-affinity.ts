import { z } from 'zod';
import { withRules } from './rule.ts';

/** A cookie's name as RFC 6265 has it. */
const cookieName = z
  .string()
  .max(128)
  .regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, 'must be the name of a cookie: letters, digits, "-" and "_"');

/** Flagger's `sessionAffinity`. */
export const sessionAffinity = withRules(
  z.object({
    cookieName: cookieName.describe(
      'Cookie that users of the new revision are given; with it they stay there while the weight moves.',
    ),
    primaryCookieName: cookieName
      .optional()
      .describe('Cookie that users of the stable revision are given; with it they stay there until the promotion.'),
    maxAge: z
      .int()
      .min(1)
      .max(34_560_000)
      .default(86_400)
      .describe('Seconds the cookies live; make it more than the analysis takes. A day unless told.'),
    domain: z
      .string()
      .max(253)
      .regex(/^[.]?[0-9A-Za-z]([-.0-9A-Za-z]*[0-9A-Za-z])?$/, 'must be a domain such as "shop.example"')
      .optional()
      .describe('Domain of the cookies; the host that answered unless told.'),
    path: z
      .string()
      .max(1024)
      .regex(/^[/][\x21-\x3a\x3c-\x7e]*$/, 'must begin with "/", and have no ";" and no space')
      .default('/')
      .describe('Path of the cookies; "/" unless told.'),
    httpOnly: z.boolean().default(false).describe('Keep the cookies from scripts.'),
    secure: z.boolean().default(false).describe('Have the cookies sent over HTTPS only.'),
    partitioned: z.boolean().default(false).describe('Keep the cookies apart for each site that embeds this one.'),
    sameSite: z.enum(['Strict', 'Lax', 'None']).optional().describe('Whether other sites may send the cookies along.'),
  }),
  [
    {
      cel: '!has(self.primaryCookieName) || self.primaryCookieName != self.cookieName',
      message: 'primaryCookieName must be another name than cookieName',
      holds: ({ cookieName, primaryCookieName }) => cookieName !== primaryCookieName,
    },
    {
      cel: "self.secure || (!self.partitioned && !(has(self.sameSite) && self.sameSite == 'None'))",
      message: 'partitioned and sameSite None need secure: true, or browsers drop the cookie',
      holds: ({ secure, partitioned, sameSite }) => secure || (!partitioned && sameSite !== 'None'),
    },
  ],
);

export type SessionAffinity = z.infer<typeof sessionAffinity>;

/**
 * A `Set-Cookie` header.
 * @param value letters and digits
 */
export function setCookie(name: string, value: string, affinity: SessionAffinity): string {
  const { maxAge, domain, path, httpOnly, secure, partitioned, sameSite } = affinity;
  return [
    `${name}=${value}`,
    `Max-Age=${maxAge}`,
    `Path=${path}`,
    ...(domain === undefined ? [] : [`Domain=${domain}`]),
    ...(httpOnly ? ['HttpOnly'] : []),
    ...(secure ? ['Secure'] : []),
    ...(partitioned ? ['Partitioned'] : []),
    ...(sameSite === undefined ? [] : [`SameSite=${sameSite}`]),
  ].join('; ');
}
