import { z } from 'zod';
import { withRules } from './rule.ts';

const name = z
  .string()
  .max(128)
  .regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, 'must be a name: letters, digits, "-" and "_"');

/** By what of a request its side of a split is chosen: equal ones fall on one side, and never back as the weight grows. */
export const stickiness = withRules(
  z.object({
    header: name
      .optional()
      .describe(
        'Requests with the same value of this header go the same way, e.g. "x-user-id"; those without it by chance.',
      ),
    cookie: name.optional().describe('The same by the value of a cookie.'),
    sourceAddress: z.boolean().optional().describe('The same by the address of the calling pod.'),
    principal: z
      .boolean()
      .optional()
      .describe(
        'All requests and connections of one calling identity (its namespace and ServiceAccount) go the same way. The weight is then the part of the callers, so with few of them it is reached in leaps.',
      ),
  }),
  [
    {
      cel: '[has(self.header), has(self.cookie), has(self.sourceAddress) && self.sourceAddress, has(self.principal) && self.principal].filter(one, one).size() == 1',
      message: 'give exactly one of header, cookie, sourceAddress and principal',
      holds: ({ header, cookie, sourceAddress, principal }) =>
        [header !== undefined, cookie !== undefined, sourceAddress === true, principal === true].filter(Boolean)
          .length === 1,
    },
  ],
);

export type Stickiness = z.infer<typeof stickiness>;
