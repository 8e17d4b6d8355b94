import { z } from 'zod';
import { checkLabels, checkPort, type Findings, isDnsLabel } from './field-check.ts';
import { isHeaderName } from './http-headers.ts';
import { type StringMatch, stringMatch, stringMatches, stringMatchProblems } from './string-match.ts';

/** Istio's HTTPMatchRequest: conditions that must all hold. */
export const httpMatch = z.object({
  name: z.string().optional().describe('Name of the match, for people.'),
  uri: stringMatch.optional().describe('Path of the request, without its query.'),
  scheme: stringMatch.optional().describe('http or https.'),
  method: stringMatch.optional().describe('Method of the request.'),
  authority: stringMatch.optional().describe('Host header, :authority in HTTP/2.'),
  headers: stringMatches.optional().describe('Headers, by lower-case name; an empty match means that it is there.'),
  withoutHeaders: stringMatches.optional().describe('Headers that must not match, by lower-case name.'),
  queryParams: stringMatches.optional().describe('Query parameters, by name.'),
  ignoreUriCase: z.boolean().optional().describe('Compare uri without regard to case, where it is exact or prefix.'),
  port: z.int().optional().describe('Port of the Service that is called.'),
  sourceLabels: z.record(z.string(), z.string()).optional().describe('Labels of the pods that call.'),
  sourceNamespace: z.string().optional().describe('Namespace of the pods that call.'),
  gateways: z
    .array(z.string())
    .optional()
    .describe("Gateways it is for, instead of the VirtualService's; mesh: sidecars."),
  statPrefix: z.string().optional().describe('Name under which Envoy counts the requests of the route.'),
});

export type HttpMatch = z.infer<typeof httpMatch>;

/** How Istio spells a header condition that is really one on a claim of a token; it needs a gateway. */
const CLAIM = /^@request\.auth\.claims[.[]/;

/** What the rule that a match belongs to says about it. */
export interface MatchContext {
  /** The rule delegates, or belongs to a delegate: two matches must be merged, and regular expressions can't be. */
  readonly delegated: boolean;
  /** Some gateway other than the sidecars takes the rule. */
  readonly atGateway: boolean;
}

/**
 * Reports what can't be right about a match.
 * @param field its path, as in `spec.http[0].match[1]`
 */
export function checkHttpMatch(found: Findings, field: string, match: HttpMatch, context: MatchContext): void {
  for (const name of ['uri', 'scheme', 'method', 'authority'] as const) {
    checkString(found, `${field}.${name}`, match[name], context, false);
  }
  for (const map of ['headers', 'withoutHeaders', 'queryParams'] as const) {
    for (const [name, value] of Object.entries(match[map] ?? {})) {
      const place = `${field}.${map}[${name}]`;
      checkString(found, place, value, context, true);
      if (map === 'queryParams') {
        if (name === '') found.error(place, 'must name a query parameter');
      } else {
        checkHeaderName(found, place, name, context);
      }
    }
  }
  checkPort(found, `${field}.port`, match.port);
  checkSource(found, field, match);
  if (match.ignoreUriCase === true && (match.uri === undefined || match.uri.regex !== undefined)) {
    found.warn(`${field}.ignoreUriCase`, 'has no effect without uri.exact or uri.prefix');
  }
}

/** Reports conditions on the caller that no pod can meet. */
export function checkSource(
  found: Findings,
  field: string,
  match: Pick<HttpMatch, 'sourceLabels' | 'sourceNamespace'>,
): void {
  checkLabels(found, `${field}.sourceLabels`, match.sourceLabels);
  const namespace = match.sourceNamespace;
  if (namespace !== undefined && namespace !== '' && !isDnsLabel(namespace)) {
    found.error(`${field}.sourceNamespace`, `must be the name of a namespace, and is "${namespace}"`);
  }
}

function checkString(
  found: Findings,
  field: string,
  match: StringMatch | undefined,
  { delegated }: MatchContext,
  mayBeEmpty: boolean,
): void {
  if (match === undefined) return;
  found.errors.push(...stringMatchProblems(match, field, mayBeEmpty));
  if (delegated && match.regex !== undefined) {
    found.error(`${field}.regex`, 'must be exact or prefix in a rule that delegates and in a delegate');
  }
}

function checkHeaderName(found: Findings, field: string, name: string, { atGateway }: MatchContext): void {
  if (CLAIM.test(name)) {
    if (!atGateway) found.error(field, 'must not be a claim of a token, which only gateways can route by');
  } else if (!isHeaderName(name.replace(/^:(?=[a-z]+$)/, ''))) {
    found.error(field, 'must name a header: lower-case letters, digits and "-"');
  }
}
