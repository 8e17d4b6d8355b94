import type { Findings } from './field-check.ts';
import type { JudgedSpec } from './field-problem.ts';
import { isHeaderName } from './http-headers.ts';
import { checkDuration } from './istio-duration.ts';
import { readJwkSet } from './jwk-set.ts';
import { jwksSourceOf, jwksUriProblem } from './jwks-source.ts';
import { checkAim } from './policy-aim.ts';
import { type JwtRule, type RequestAuthenticationSpec, requestAuthenticationSpec } from './request-authentication.ts';
import { judgeSpec } from './spec-reader.ts';

/** What may stand before a token; anything else Envoy would refuse. */
const PRINTABLE = /^[\x20-\x7e]*$/;

/** Longest name of a parameter or cookie, and longest prefix, in characters: they become expressions, whose size Envoy bounds. */
const MAX_NAME = 128;

/**
 * Judges a RequestAuthentication's spec: its schema, then what Istio or Envoy refuses, then what is legal and hardly meant.
 * @param json the spec, of any shape
 */
export function judgeRequestAuthentication(json: unknown): JudgedSpec<RequestAuthenticationSpec> {
  return judgeSpec(requestAuthenticationSpec, json, checkSpec);
}

function checkSpec(found: Findings, spec: RequestAuthenticationSpec): void {
  checkAim(found, spec);
  const { jwtRules = [] } = spec;
  if (jwtRules.length === 0) found.warn('spec.jwtRules', 'is empty: no token is looked at, and none makes a principal');
  for (const [index, rule] of jwtRules.entries()) checkRule(found, `spec.jwtRules[${index}]`, rule);
}

function checkRule(found: Findings, field: string, rule: JwtRule): void {
  checkKeys(found, field, rule);
  for (const name of ['audiences', 'fromParams', 'fromCookies', 'spaceDelimitedClaims'] as const) {
    for (const [index, value] of (rule[name] ?? []).entries()) {
      if (name.startsWith('from') && value.length > MAX_NAME) {
        found.error(`${field}.${name}[${index}]`, `must have at most ${MAX_NAME} characters`);
      } else if (name === 'fromParams' && !PRINTABLE.test(value)) {
        found.error(`${field}.${name}[${index}]`, 'must be of ASCII');
      } else if (value === '') found.error(`${field}.${name}[${index}]`, 'must not be empty');
    }
  }
  const taken = new Set<string>();
  for (const [index, { name, prefix = '' }] of (rule.fromHeaders ?? []).entries()) {
    checkHeader(found, `${field}.fromHeaders[${index}].name`, name);
    if (prefix.length > MAX_NAME)
      found.error(`${field}.fromHeaders[${index}].prefix`, `must have at most ${MAX_NAME} characters`);
    else if (!PRINTABLE.test(prefix))
      found.error(`${field}.fromHeaders[${index}].prefix`, 'must be a text of a header');
    taken.add(name.toLowerCase());
  }
  const { outputPayloadToHeader, outputClaimToHeaders = [] } = rule;
  if (outputPayloadToHeader !== undefined && outputPayloadToHeader !== '') {
    checkOutput(found, `${field}.outputPayloadToHeader`, outputPayloadToHeader, taken);
  }
  for (const [index, { header, claim }] of outputClaimToHeaders.entries()) {
    const inner = `${field}.outputClaimToHeaders[${index}]`;
    checkOutput(found, `${inner}.header`, header, taken);
    if (claim === '') found.error(`${inner}.claim`, 'must be the name of a claim');
  }
  checkDuration(found, `${field}.timeout`, rule.timeout);
}

function checkKeys(found: Findings, field: string, rule: JwtRule): void {
  const { issuer = '', jwks = '', jwksUri = '', jwks_uri: alias = '' } = rule;
  if (issuer === '' && jwks === '' && jwksUri === '' && alias === '') {
    found.error(`${field}.issuer`, 'must be set, or jwksUri: nobody can tell which tokens are meant');
  }
  if (jwks !== '' && (jwksUri !== '' || alias !== '')) found.error(`${field}.jwks`, 'must not be set beside jwksUri');
  if (jwksUri !== '' && alias !== '') found.error(`${field}.jwks_uri`, 'must not be set beside jwksUri');
  const uri = jwksUri || alias;
  const problem = uri === '' ? undefined : jwksUriProblem(uri);
  if (problem !== undefined) found.error(`${field}.${jwksUri === '' ? 'jwks_uri' : 'jwksUri'}`, problem);
  else if (uri.startsWith('http:')) {
    found.warn(`${field}.jwksUri`, 'is not of https: whoever is between here and there decides which tokens are valid');
  }
  if (jwks !== '') checkInline(found, `${field}.jwks`, jwks);
  else if (issuer !== '' && jwksSourceOf(rule).kind === 'nowhere') {
    found.warn(
      `${field}.jwksUri`,
      `is missing, and the issuer "${issuer}" is no URL: there are no keys, so no token is valid`,
    );
  }
}

function checkInline(found: Findings, field: string, text: string): void {
  const set = readJwkSet(text, true);
  if (typeof set === 'string') found.error(field, set.startsWith('is ') ? `must be a JWK set, and ${set}` : set);
  else if (set.count === 0) {
    found.warn(
      field,
      `has no key to verify a signature with, so no token is valid: ${set.left.join('; ') || 'it is empty'}`,
    );
  } else for (const reason of set.left) found.warn(field, `has a key that is left out: ${reason}`);
}

function checkHeader(found: Findings, field: string, name: string): void {
  if (!isHeaderName(name)) found.error(field, 'must name a header: letters, digits and "-"');
}

function checkOutput(found: Findings, field: string, name: string, taken: ReadonlySet<string>): void {
  checkHeader(found, field, name);
  if (taken.has(name.toLowerCase())) {
    found.error(
      field,
      `must not be the header "${name}" in which the token comes: what a client sends in it is removed`,
    );
  } else if (/^(?:host|content-length|transfer-encoding|connection|te|upgrade)$/i.test(name)) {
    found.error(field, `must not be the header "${name}", which belongs to HTTP itself`);
  }
}
