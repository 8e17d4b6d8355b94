import { z } from 'zod';
import type { Findings } from './field-check.ts';
import { headerValueProblem } from './http-header-value.ts';

const headerOperations = z.object({
  set: z.record(z.string(), z.string()).optional().describe('Headers to overwrite with these values.'),
  add: z.record(z.string(), z.string()).optional().describe('Headers to append these values to.'),
  remove: z.array(z.string()).optional().describe('Headers to take away.'),
});

/** Istio's Headers: what is done to the headers of requests and of responses. */
export const headers = z.object({
  request: headerOperations.optional().describe('Before a request goes to the destination.'),
  response: headerOperations.optional().describe('Before a response goes to the caller.'),
});

export type HeaderOperations = z.infer<typeof headerOperations>;
export type Headers = z.infer<typeof headers>;

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Whether the text is a header's name as RFC 9110 has it. */
export const isHeaderName = (text: string): boolean => TOKEN.test(text);

/** Whether the header carries the authority of a request, under its name in HTTP/1 or in HTTP/2. */
export const isAuthorityHeader = (name: string): boolean => /^(?::authority|host)$/i.test(name);

/**
 * Reports what can't be done to headers. Pseudo-headers are not to be changed, but for the authority of a request, which may be set.
 * @param field path of the Headers
 */
export function checkHeaders(found: Findings, field: string, { request, response }: Headers): void {
  if (request !== undefined) checkOperations(found, `${field}.request`, request, true);
  if (response !== undefined) checkOperations(found, `${field}.response`, response, false);
}

function checkOperations(found: Findings, field: string, operations: HeaderOperations, mayBeAuthority: boolean): void {
  for (const verb of ['set', 'add'] as const) {
    for (const [name, value] of Object.entries(operations[verb] ?? {})) {
      const place = `${field}.${verb}[${name}]`;
      if (!(mayBeAuthority && isAuthorityHeader(name))) checkName(found, place, name);
      const problem = headerValueProblem(value);
      if (problem !== undefined) found.error(place, problem);
    }
  }
  for (const [index, name] of (operations.remove ?? []).entries()) checkName(found, `${field}.remove[${index}]`, name);
}

function checkName(found: Findings, field: string, name: string): void {
  if (name.startsWith(':') || isAuthorityHeader(name)) {
    found.error(field, `must not change the header "${name}", which belongs to HTTP itself; leave it out`);
  } else if (!isHeaderName(name)) {
    found.error(field, 'must name a header: letters, digits and "-"');
  }
}

/** Reports a second place that sets the authority of a request. */
export function checkAuthorityOnce(
  found: Findings,
  field: string,
  rewritten: string | undefined,
  change: Headers = {},
): void {
  const places = rewritten === undefined || rewritten === '' ? [] : ['rewrite.authority'];
  for (const verb of ['set', 'add'] as const) {
    const names = Object.keys(change.request?.[verb] ?? {}).filter(isAuthorityHeader);
    places.push(...names.map((name) => `headers.request.${verb}[${name}]`));
  }
  const [first, second] = places;
  if (second !== undefined)
    found.error(`${field}.${second}`, `must not set the authority again after ${first}; keep one`);
}
