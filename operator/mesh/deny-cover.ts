import type {
  AuthorizationCondition,
  AuthorizationOperation,
  AuthorizationRule,
  AuthorizationSource,
} from '../../api/authorization-policy.ts';
import type { AuthorizationRules } from './authorization.ts';

/** Fields whose values may be `abc*`, `*abc` or `*`. */
const PATTERNS = new Set([
  'principals',
  'requestPrincipals',
  'namespaces',
  'trustDomains',
  'hosts',
  'methods',
  'paths',
]);
/** Fields whose values are read in the policy's own namespace. */
const OWN_NAMESPACE = new Set(['serviceAccounts', 'notServiceAccounts', 'source.serviceAccount']);

type Fields = AuthorizationSource | AuthorizationOperation;

/**
 * Whether a DENY policy denies all that an ALLOW policy allows, wherever both are in force, as far as that can be told by comparing what is written: what
 * it says is so, and what it does not say may be so too.
 */
export function deniesAll(deny: AuthorizationRules, allow: AuthorizationRules): boolean {
  const isSameNamespace = deny.ref.namespace === allow.ref.namespace;
  return (
    allow.rules.length > 0 &&
    allow.rules.every((rule) => deny.rules.some((one) => isWithin(rule, one, isSameNamespace)))
  );
}

/** Whether whatever matches one rule matches another, which is wider. */
function isWithin(rule: AuthorizationRule, wide: AuthorizationRule, isSameNamespace: boolean): boolean {
  const within = (fields: Fields = {}, wider: Fields = {}) => areWithin(fields, wider, isSameNamespace);
  const from = rule.from ?? [{}];
  const to = rule.to ?? [{}];
  const [wideFrom, wideTo] = [wide.from ?? [{}], wide.to ?? [{}]];
  return (
    from.every(({ source }) => wideFrom.some((one) => within(source, one.source))) &&
    to.every(({ operation }) => wideTo.some((one) => within(operation, one.operation))) &&
    (wide.when ?? []).every((one) => (rule.when ?? []).some((other) => isSure(other, one, isSameNamespace)))
  );
}

/** Whether all that has some fields has the wider ones. */
function areWithin(fields: Fields, wider: Fields, isSameNamespace: boolean): boolean {
  const valuesOf = (field: string): readonly string[] => (fields as Record<string, string[] | undefined>)[field] ?? [];
  return Object.entries(wider).every(([field, wide = []]) => {
    if (wide.length === 0) return true;
    if (OWN_NAMESPACE.has(field) && !isSameNamespace) return false;
    const values = valuesOf(field);
    // Of what must not be, the wider one has less.
    if (field.startsWith('not')) return wide.every((value) => values.includes(value));
    const isCovered = (value: string) =>
      wide.some((one) => value === one || (PATTERNS.has(field) && isCoveredBy(value, one)));
    return values.length > 0 && values.every(isCovered);
  });
}

/** A condition holds where one of the same attribute with no other values does. Of `notValues` nothing is said: a list may have one and not another. */
function isSure(
  { key, values = [] }: AuthorizationCondition,
  wide: AuthorizationCondition,
  isSameNamespace: boolean,
): boolean {
  const { values: wanted = [], notValues = [] } = wide;
  if (key !== wide.key || notValues.length > 0 || values.length === 0) return false;
  return (!OWN_NAMESPACE.has(key) || isSameNamespace) && values.every((value) => wanted.includes(value));
}

/** Whether all that matches a value matches a pattern; templates of paths are compared by their text alone. */
function isCoveredBy(value: string, pattern: string): boolean {
  if (pattern === '*') return true;
  if (value === '*' || /[{}]/.test(value + pattern)) return false;
  if (pattern.endsWith('*')) return !value.startsWith('*') && value.replace(/\*$/, '').startsWith(pattern.slice(0, -1));
  return pattern.startsWith('*') && !value.endsWith('*') && value.replace(/^\*/, '').endsWith(pattern.slice(1));
}
