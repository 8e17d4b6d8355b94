import type { Findings } from './field-check.ts';
import type { JudgedSpec } from './field-problem.ts';
import { isHeaderName } from './http-headers.ts';
import { isErrorStatus } from './http-statuses.ts';
import { checkAim } from './policy-aim.ts';
import {
  isGlobal,
  limitName,
  type RateLimit,
  type RateLimitAnswer,
  type RateLimitCount,
  type RateLimitMatch,
  type RateLimitPolicySpec,
  rateLimitPolicySpec,
} from './rate-limit-policy.ts';
import { judgeSpec } from './spec-reader.ts';
import { stringMatchProblems } from './string-match.ts';

/** Longest text that requests are compared with, in characters: longer ones make expressions whose size Envoy bounds. */
const MAX_TEXT = 1024;
/** Anything else would be read as an end, or a step, of Envoy's command for it. */
const CLAIM = /^[A-Za-z0-9_/-]+(?:\.[A-Za-z0-9_/-]+)*$/;
const LIMIT_NAME = /^[A-Za-z0-9](?:[-_.A-Za-z0-9]*[A-Za-z0-9])?$/;
const PRINCIPAL = /^[^/\s]+\/ns\/[^/\s]+\/sa\/[^/\s]+$/;
/** A value that goes out as it is: no line feed, and no per cent sign, with which Envoy's commands begin. */
const HEADER_VALUE = /^[\x20-\x24\x26-\x7e]*$/;
/** Set by the limits themselves, or part of HTTP. */
const TAKEN =
  /^(?:retry-after|x-ratelimit-.*|x-envoy-.*|host|content-length|content-type|transfer-encoding|connection|te|upgrade|:.*)$/i;

/**
 * Judges a RateLimitPolicy's spec: its schema, then what can't be counted so, then what is legal and hardly meant.
 * @param json the spec, of any shape
 */
export function judgeRateLimitPolicy(json: unknown): JudgedSpec<RateLimitPolicySpec> {
  return judgeSpec(rateLimitPolicySpec, json, checkSpec);
}

function checkSpec(found: Findings, spec: RateLimitPolicySpec): void {
  const { limits = [], connections, bandwidth, response, dryRun } = spec;
  checkAim(found, spec);
  if (limits.length === 0 && connections === undefined && bandwidth === undefined) {
    found.error('spec.limits', 'must have a limit, unless there are connections or bandwidth');
  }
  const names = new Set<string>();
  for (const [index, limit] of limits.entries()) {
    const field = `spec.limits[${index}]`;
    const name = limitName(limit, index);
    if (!LIMIT_NAME.test(name)) found.error(`${field}.name`, 'must be of letters, digits, "-", "_" and "."');
    else if (names.has(name)) found.error(`${field}.name`, `must not be "${name}" again`);
    names.add(name);
    checkLimit(found, field, limit);
  }
  for (const [name, values] of Object.entries({ connections, bandwidth })) {
    if (values === undefined) continue;
    if (Object.values(values).every((value) => value === undefined)) found.error(`spec.${name}`, 'must have one field');
    if (dryRun === true) {
      found.error(`spec.${name}`, 'must not be set with dryRun, which is about limits; use a policy of its own');
    }
  }
  if (response !== undefined) checkResponse(found, response);
  if (response !== undefined && limits.length === 0) found.warn('spec.response', 'has no effect without limits');
  if (spec.failureMode !== undefined && !limits.some(isGlobal)) {
    found.warn('spec.failureMode', 'has no effect without a limit of scope Global');
  }
}

function checkLimit(found: Findings, field: string, limit: RateLimit): void {
  const { burst, match = [], countBy = [], overrides = [] } = limit;
  if (isGlobal(limit) && burst !== undefined) {
    found.error(`${field}.burst`, 'must not be set with scope Global, which counts in windows of one unit');
  }
  for (const [index, one] of match.entries()) checkMatch(found, `${field}.match[${index}]`, one);
  for (const [index, count] of countBy.entries()) checkCount(found, `${field}.countBy[${index}]`, count);
  if (overrides.length > 0 && countBy.length === 0) {
    found.error(`${field}.overrides`, 'must not be set without countBy: there is one count for all');
    return;
  }
  const seen = new Set<string>();
  for (const [index, { values }] of overrides.entries()) {
    const inner = `${field}.overrides[${index}].values`;
    if (values.length !== countBy.length) {
      found.error(
        inner,
        `must have ${countBy.length} ${countBy.length === 1 ? 'value' : 'values'}, as many as countBy`,
      );
      continue;
    }
    const key = JSON.stringify(values);
    if (seen.has(key)) found.error(inner, 'must not be there twice');
    seen.add(key);
    for (const [place, value] of values.entries()) checkValue(found, `${inner}[${place}]`, value, countBy[place]);
  }
}

function checkValue(found: Findings, field: string, value: string, count: RateLimitCount | undefined): void {
  if (value === '' || value.length > MAX_TEXT) found.error(field, `must have 1 to ${MAX_TEXT} characters`);
  else if (count?.kind === 'Caller' && !PRINCIPAL.test(value)) {
    found.error(field, `must be an identity such as "cluster.local/ns/shop/sa/ui", and is "${value}"`);
  }
}

function checkCount(found: Findings, field: string, { kind, name = '' }: RateLimitCount): void {
  if (kind === 'Caller') {
    if (name !== '') found.error(`${field}.name`, 'must be left out with kind Caller');
  } else if (name === '') {
    found.error(`${field}.name`, `must name the ${kind.toLowerCase()}`);
  } else if (name.length > MAX_TEXT) {
    found.error(`${field}.name`, `must have at most ${MAX_TEXT} characters`);
  } else if (kind === 'Header' && !/^[-_.A-Za-z0-9]+$/.test(name)) {
    found.error(`${field}.name`, 'must name a header: letters, digits and "-"');
  } else if (kind === 'Claim' && !CLAIM.test(name)) {
    found.error(`${field}.name`, 'must name a claim: letters, digits, "-", "_" and "/", with "." before an inner one');
  }
}

function checkMatch(found: Findings, field: string, { uri, method, authority, headers = {} }: RateLimitMatch): void {
  if (uri === undefined && method === undefined && authority === undefined && Object.keys(headers).length === 0) {
    found.error(field, 'must have one field at least; leave match out for all requests');
  }
  for (const [name, one] of Object.entries({ uri, method, authority })) {
    if (one === undefined) continue;
    found.errors.push(...stringMatchProblems(one, `${field}.${name}`));
    checkLengths(found, `${field}.${name}`, one);
  }
  for (const kind of ['exact', 'prefix'] as const) {
    const path = uri?.[kind];
    if (path !== undefined && path !== '' && !path.startsWith('/')) {
      found.error(`${field}.uri.${kind}`, `must begin with "/", and is "${path}"`);
    } else if (path?.includes('?')) {
      found.error(`${field}.uri.${kind}`, 'must not have a "?": it is compared without the query');
    }
  }
  for (const [name, one] of Object.entries(headers)) {
    const inner = `${field}.headers[${name}]`;
    if (!isHeaderName(name)) found.error(inner, 'must name a header: letters, digits and "-"');
    found.errors.push(...stringMatchProblems(one, inner, true));
    checkLengths(found, inner, one);
  }
}

function checkLengths(found: Findings, field: string, texts: object): void {
  for (const [name, text] of Object.entries(texts)) {
    if (typeof text === 'string' && text.length > MAX_TEXT) {
      found.error(`${field}.${name}`, `must have at most ${MAX_TEXT} characters`);
    }
  }
}

function checkResponse(found: Findings, { status, headers = {} }: RateLimitAnswer): void {
  if (status !== undefined && !isErrorStatus(status)) {
    found.error('spec.response.status', `must be a status of an error, such as 429 or 503, and is ${status}`);
  }
  for (const [name, value] of Object.entries(headers)) {
    const field = `spec.response.headers[${name}]`;
    if (!isHeaderName(name)) found.error(field, 'must name a header: letters, digits and "-"');
    else if (TAKEN.test(name)) found.error(field, 'must not be a header that limits or HTTP itself set');
    if (!HEADER_VALUE.test(value) || value.length > MAX_TEXT) {
      found.error(field, `must be printable ASCII without "%", of at most ${MAX_TEXT} characters`);
    }
  }
  if (Object.keys(headers).length > 16) found.error('spec.response.headers', 'must have at most 16 headers');
}
