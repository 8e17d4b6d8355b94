import { z } from 'zod';
import { checkPort, type Findings } from './field-check.ts';
import { checkStatus } from './http-fault.ts';
import { regexGroups, regexProblem } from './regex.ts';

/** Istio's HTTPRedirect. */
export const httpRedirect = z.object({
  uri: z.string().optional().describe('Path to go to.'),
  authority: z.string().optional().describe('Host to go to.'),
  port: z.int().optional().describe('Port to go to.'),
  derivePort: z
    .enum(['FROM_PROTOCOL_DEFAULT', 'FROM_REQUEST_PORT'])
    .optional()
    .describe("Take the port that is usual for the scheme, or the request's."),
  scheme: z.string().optional().describe('Scheme to go to: http or https.'),
  redirectCode: z.int().optional().describe('HTTP status: 301 (when left out), 302, 303, 307 or 308.'),
});

/** Istio's HTTPDirectResponse. */
export const httpDirectResponse = z.object({
  status: z.int().describe('HTTP status of the answer.'),
  body: z
    .object({
      string: z.string().optional().describe('Body as text.'),
      bytes: z.string().optional().describe('Body in base64.').meta({ format: 'binary' }),
    })
    .optional()
    .describe('Body of the answer.'),
});

/** Istio's HTTPRewrite. */
export const httpRewrite = z.object({
  uri: z.string().optional().describe('New path; where the match is by prefix, new prefix.'),
  authority: z.string().optional().describe('New host.'),
  uriRegexRewrite: z
    .object({
      match: z.string().optional().describe('RE2 expression; what it matches in the path is replaced.'),
      rewrite: z.string().optional().describe('What to write instead; \\1 is the first group.'),
    })
    .optional()
    .describe('Rewriting of the path by a regular expression.'),
});

export type HttpRedirect = z.infer<typeof httpRedirect>;
export type HttpDirectResponse = z.infer<typeof httpDirectResponse>;
export type HttpRewrite = z.infer<typeof httpRewrite>;

/** Statuses with which Envoy can redirect. */
export const REDIRECT_CODES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Longest body of a direct response, in bytes; it is part of every sidecar's configuration. Istio's bound. */
const MAX_BODY = 1_048_576;
/** From here on a body is worth a warning, for it is held by every sidecar. */
const LARGE_BODY = 102_400;

/** Reports a redirect that leads nowhere. */
export function checkRedirect(found: Findings, field: string, redirect: HttpRedirect): void {
  const { uri, authority, port, derivePort, scheme, redirectCode } = redirect;
  if (!uri && !authority && !scheme && port === undefined && derivePort === undefined) {
    found.error(field, 'must have one of uri, authority, port, derivePort and scheme');
  }
  if (port !== undefined && derivePort !== undefined)
    found.error(field, 'must have one of port and derivePort; keep one');
  checkPort(found, `${field}.port`, port);
  if (scheme && scheme !== 'http' && scheme !== 'https') found.error(`${field}.scheme`, 'must be http or https');
  if (redirectCode !== undefined && redirectCode !== 0 && !REDIRECT_CODES.has(redirectCode)) {
    found.error(`${field}.redirectCode`, `must be one of ${[...REDIRECT_CODES].join(', ')}, and is ${redirectCode}`);
  }
  for (const [name, text] of Object.entries({ uri, authority })) checkLine(found, `${field}.${name}`, text);
}

/** Reports an answer that can't be given. */
export function checkDirectResponse(found: Findings, field: string, { status, body }: HttpDirectResponse): void {
  checkStatus(found, `${field}.status`, status);
  if (body === undefined) return;
  if (body.string !== undefined && body.bytes !== undefined)
    found.error(`${field}.body`, 'must have one of string and bytes; keep one');
  if (body.bytes !== undefined && !/^[A-Za-z0-9+/_-]*={0,2}$/.test(body.bytes))
    found.error(`${field}.body.bytes`, 'must be base64');
  const size =
    body.string === undefined ? ((body.bytes?.length ?? 0) * 3) / 4 : new TextEncoder().encode(body.string).length;
  if (size > MAX_BODY) found.error(`${field}.body`, `must have at most ${MAX_BODY} bytes`);
  else if (size > LARGE_BODY)
    found.warn(`${field}.body`, `is large (${Math.round(size)} bytes), and every sidecar holds it`);
}

/** Reports a rewriting that can't be done. */
export function checkRewrite(found: Findings, field: string, { uri, authority, uriRegexRewrite }: HttpRewrite): void {
  if (!uri && !authority && uriRegexRewrite === undefined)
    found.error(field, 'must have one of uri, uriRegexRewrite and authority');
  if (uri && uriRegexRewrite !== undefined) found.error(field, 'must have one of uri and uriRegexRewrite; keep one');
  for (const [name, text] of Object.entries({ uri, authority })) checkLine(found, `${field}.${name}`, text);
  if (uriRegexRewrite === undefined) return;
  const { match = '', rewrite } = uriRegexRewrite;
  const problem = regexProblem(match);
  if (problem !== undefined) found.error(`${field}.uriRegexRewrite.match`, problem);
  if (!rewrite) found.error(`${field}.uriRegexRewrite.rewrite`, 'must be there, as must match');
  else if (problem === undefined)
    checkSubstitution(found, `${field}.uriRegexRewrite.rewrite`, rewrite, regexGroups(match));
}

/** Envoy refuses a substitution that names a group which the expression has not, or has a backslash before anything else. */
function checkSubstitution(found: Findings, field: string, rewrite: string, groups: number): void {
  checkLine(found, field, rewrite);
  for (const [whole, name = ''] of rewrite.matchAll(/\\(.?)/gs)) {
    if (name === '\\') continue;
    if (!/^[0-9]$/.test(name))
      found.error(field, `must not have "${whole}"; write \\\\ for a backslash, \\1 for the first group`);
    else if (Number(name) > groups) found.error(field, `must not have ${whole}, as match has ${groups} groups`);
  }
}

/** Reports text that could not stand in a line of HTTP. */
function checkLine(found: Findings, field: string, text: string | undefined): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  if (text !== undefined && /[\u0000-\u001f\u007f]/.test(text))
    found.error(field, 'must not hold control characters such as a line break');
}
