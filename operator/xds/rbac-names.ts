import type { StringMatcher } from '../../generated/envoy/envoy/type/matcher/v3/string_pb.js';
import { expressionOf, matchExpression, matchText, quote, readPattern } from './rbac-values.ts';

/** Values of AuthorizationPolicies as what the SPIFFE ID in a caller's certificate must be. */

const SPIFFE = 'spiffe://';
/** A part of a SPIFFE ID. */
const PART = '[^/]*';

/** `cluster.local/ns/shop/sa/ui`. */
export function principalName(value: string): StringMatcher {
  const pattern = readPattern(value);
  if (pattern.kind === 'exact' || pattern.kind === 'prefix') {
    return matchText({ ...pattern, text: SPIFFE + pattern.text });
  }
  return matchExpression(quote(SPIFFE) + expressionOf(pattern, '.*'));
}

export function namespaceName(value: string): StringMatcher {
  const name = expressionOf(readPattern(value), PART);
  return matchExpression(`${quote(SPIFFE)}${PART}/ns/${name}/sa/${PART}`);
}

/** `namespace/name`, or a name in the namespace of the policy. */
export function serviceAccountName(value: string, namespace: string): StringMatcher {
  const [first = '', second] = value.split('/');
  const [space, name] = second === undefined ? [namespace, first] : [first, second];
  return matchExpression(`${quote(SPIFFE)}${PART}/ns/${quote(space)}/sa/${quote(name)}`);
}

export function trustDomainName(value: string): StringMatcher {
  return matchExpression(`${quote(SPIFFE)}${expressionOf(readPattern(value), PART)}/.*`);
}
