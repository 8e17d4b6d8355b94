import { z } from 'zod';
import { checkLabels, Findings } from './field-check.ts';
import { isHeaderName } from './http-headers.ts';
import { withRules } from './rule.ts';
import { stringMatches, stringMatchProblems } from './string-match.ts';

const fields = z.object({
  headers: stringMatches.optional().describe('Headers, by name; an empty match means that it is there.'),
  withoutHeaders: stringMatches.optional().describe('Headers that must not match, by name.'),
  cookies: stringMatches.optional().describe('Cookies, by name; they need exact, prefix or regex.'),
  queryParams: stringMatches.optional().describe('Query parameters, by name.'),
  sourceLabels: z.record(z.string(), z.string()).optional().describe('Labels of the pods that call.'),
});

type Fields = z.infer<typeof fields>;

const MAPS = ['headers', 'withoutHeaders', 'cookies', 'queryParams'] as const;

/** Conditions on a request that must all hold (Flagger's `match`, with cookies by name). */
export const canaryMatch = withRules(
  fields.superRefine((match, context) => {
    for (const { path, message } of problemsOf(match)) context.addIssue({ code: 'custom', path: [...path], message });
  }),
  [
    {
      cel: '[has(self.headers), has(self.withoutHeaders), has(self.cookies), has(self.queryParams), has(self.sourceLabels)].exists(one, one)',
      message: 'say what to match: headers, withoutHeaders, cookies, queryParams or sourceLabels',
      holds: (match) => Object.values(match).some((one) => one !== undefined),
    },
  ],
);

export type CanaryMatch = z.infer<typeof canaryMatch>;

interface Problem {
  readonly path: readonly string[];
  readonly message: string;
}

/** What Envoy would refuse. */
function problemsOf(match: Fields): Problem[] {
  const problems: Problem[] = [];
  for (const map of MAPS) {
    for (const [name, value] of Object.entries(match[map] ?? {})) {
      const path = [map, name];
      if (name === '' || (map !== 'queryParams' && !isHeaderName(name))) {
        problems.push({ path, message: 'must be a name: letters, digits and "-"' });
      }
      for (const { field, message } of stringMatchProblems(value, '', map !== 'cookies')) {
        problems.push({ path: [...path, ...field.split('.').filter((part) => part !== '')], message });
      }
    }
  }
  const found = new Findings();
  checkLabels(found, '', match.sourceLabels);
  for (const { field, message } of found.errors) problems.push({ path: ['sourceLabels', field], message });
  if (Object.values(match).every((one) => one !== undefined && Object.keys(one).length === 0)) {
    problems.push({ path: [], message: 'matches every request; name a header, cookie, query parameter or label' });
  }
  return problems;
}
