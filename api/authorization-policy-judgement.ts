import { isOfRequests, readAttribute } from './authorization-attribute.ts';
import {
  type AuthorizationCondition,
  type AuthorizationOperation,
  type AuthorizationPolicySpec,
  type AuthorizationRule,
  type AuthorizationSource,
  authorizationPolicySpec,
} from './authorization-policy.ts';
import { type Findings, isSubnet } from './field-check.ts';
import type { JudgedSpec } from './field-problem.ts';
import { isPathTemplate, pathTemplateProblem } from './path-template.ts';
import { checkAim } from './policy-aim.ts';
import { judgeSpec } from './spec-reader.ts';

/** Longest value, in bytes of UTF-8: Envoy refuses what holds a much longer expression (`re2.max_program_size`). */
const MAX_VALUE_BYTES = 8192;

/** What a CUSTOM policy can't ask for: its provider is asked before these are known (Istio). */
const NOT_FOR_CUSTOM = [
  'principals',
  'notPrincipals',
  'requestPrincipals',
  'notRequestPrincipals',
  'namespaces',
  'notNamespaces',
  'serviceAccounts',
  'notServiceAccounts',
  'trustDomains',
  'notTrustDomains',
] as const;

/** Attributes of which the same holds. */
const CONDITIONS_NOT_FOR_CUSTOM = new Set([
  'source-namespace',
  'source-principal',
  'source-service-account',
  'source-trust-domain',
  'request-principal',
  'audiences',
  'presenter',
  'claim',
]);

/**
 * Judges an AuthorizationPolicy's spec: its schema, then what Istio refuses, then what is legal and hardly meant.
 * @param json the spec, of any shape
 */
export function judgeAuthorizationPolicy(json: unknown): JudgedSpec<AuthorizationPolicySpec> {
  return judgeSpec(authorizationPolicySpec, json, checkSpec);
}

function checkSpec(found: Findings, spec: AuthorizationPolicySpec): void {
  const { action = 'ALLOW', provider, rules = [] } = spec;
  checkAim(found, spec);
  if (action === 'CUSTOM') {
    if (!provider?.name)
      found.error('spec.provider.name', 'must be set with action CUSTOM; name one of the mesh configuration');
    if (rules.length === 0) found.error('spec.rules', 'must have a rule with action CUSTOM; {} is about every request');
  } else if (provider !== undefined) {
    found.error('spec.provider', `must not be set with action ${action}; write CUSTOM`);
  }
  if (rules.length === 0 && action === 'ALLOW') {
    found.warn(
      'spec.rules',
      'is empty: the policy matches no request, so everything is denied; {} is about every request',
    );
  } else if (rules.length === 0) {
    found.warn('spec.rules', 'is empty: the policy matches no request and does nothing; {} is about every request');
  }
  for (const [index, rule] of rules.entries()) checkRule(found, `spec.rules[${index}]`, rule, action);
}

function checkRule(found: Findings, field: string, rule: AuthorizationRule, action: string): void {
  const { from, to, when } = rule;
  if (from?.length === 0) found.error(`${field}.from`, 'must have a source, or be left out for all callers');
  if (to?.length === 0) found.error(`${field}.to`, 'must have an operation, or be left out for all');
  for (const [index, { source }] of (from ?? []).entries()) {
    const inner = `${field}.from[${index}].source`;
    if (source === undefined || !hasAny(source)) found.error(inner, 'must have one field at least');
    else checkSource(found, inner, source, action);
  }
  for (const [index, { operation }] of (to ?? []).entries()) {
    const inner = `${field}.to[${index}].operation`;
    if (operation === undefined || !hasAny(operation)) found.error(inner, 'must have one field at least');
    else checkOperation(found, inner, operation);
  }
  for (const [index, condition] of (when ?? []).entries()) {
    checkCondition(found, `${field}.when[${index}]`, condition, action);
  }
}

function checkSource(found: Findings, field: string, source: AuthorizationSource, action: string): void {
  checkFilled(found, field, source);
  const { serviceAccounts = [], notServiceAccounts = [], principals = [], namespaces = [] } = source;
  if (serviceAccounts.length > 0 && (principals.length > 0 || namespaces.length > 0)) {
    found.error(
      `${field}.serviceAccounts`,
      'must not be set beside principals or namespaces; use two sources, or one of them',
    );
  }
  for (const [name, values] of Object.entries({ serviceAccounts, notServiceAccounts })) {
    for (const [index, value] of values.entries()) {
      if (value !== '' && (value.split('/').length > 2 || value.includes('*') || value.split('/').includes(''))) {
        found.error(
          `${field}.${name}[${index}]`,
          `must be NAMESPACE/NAME or NAME, without a wildcard, and is "${value}"`,
        );
      }
    }
  }
  for (const name of ['ipBlocks', 'notIpBlocks', 'remoteIpBlocks', 'notRemoteIpBlocks'] as const) {
    checkSubnets(found, `${field}.${name}`, source[name]);
  }
  if (action !== 'CUSTOM') return;
  for (const name of NOT_FOR_CUSTOM) {
    if (source[name] !== undefined) found.error(`${field}.${name}`, 'must not be used with action CUSTOM');
  }
}

function checkOperation(found: Findings, field: string, operation: AuthorizationOperation): void {
  checkFilled(found, field, operation);
  for (const name of ['ports', 'notPorts'] as const) {
    for (const [index, port] of (operation[name] ?? []).entries())
      checkPortText(found, `${field}.${name}[${index}]`, port);
  }
  for (const name of ['paths', 'notPaths'] as const) {
    for (const [index, path] of (operation[name] ?? []).entries()) {
      const problem = isPathTemplate(path) ? pathTemplateProblem(path) : undefined;
      if (problem !== undefined) found.error(`${field}.${name}[${index}]`, problem);
      else if (path.includes('?')) {
        found.warn(`${field}.${name}[${index}]`, 'has a "?", and never matches: paths are compared without the query');
      }
    }
  }
}

function checkCondition(found: Findings, field: string, condition: AuthorizationCondition, action: string): void {
  const { key, values = [], notValues = [] } = condition;
  const attribute = readAttribute(key);
  checkText(found, `${field}.key`, key);
  if (attribute === undefined) {
    found.error(
      `${field}.key`,
      `must be an attribute such as "request.headers[x-team]" or "source.ip", and is "${key}"`,
    );
    return;
  }
  if (values.length === 0 && notValues.length === 0) found.error(field, 'must have values or notValues');
  if (action === 'CUSTOM' && CONDITIONS_NOT_FOR_CUSTOM.has(attribute.kind)) {
    found.error(`${field}.key`, `must not be "${key}" with action CUSTOM`);
  }
  for (const [name, list] of Object.entries({ values, notValues })) {
    if (attribute.kind.endsWith('-ip')) checkSubnets(found, `${field}.${name}`, list);
    for (const [index, value] of list.entries()) {
      const inner = `${field}.${name}[${index}]`;
      checkText(found, inner, value);
      if (attribute.kind === 'destination-port') checkPortText(found, inner, value);
    }
  }
}

/** Fields that only HTTP has: what they come to on a port of TCP (Istio: a DENY stays safe, an ALLOW never widens). */
export function httpOnlyFields(rule: AuthorizationRule): string[] {
  const names = new Set<string>();
  for (const { source = {} } of rule.from ?? []) {
    for (const name of ['requestPrincipals', 'notRequestPrincipals'] as const)
      if (source[name]?.length) names.add(name);
  }
  for (const { operation = {} } of rule.to ?? []) {
    for (const name of ['hosts', 'notHosts', 'methods', 'notMethods', 'paths', 'notPaths'] as const) {
      if (operation[name]?.length) names.add(name);
    }
  }
  for (const { key } of rule.when ?? []) {
    const attribute = readAttribute(key);
    if (attribute !== undefined && isOfRequests(attribute)) names.add(key);
  }
  return [...names];
}

function hasAny(fields: object): boolean {
  return Object.values(fields).some((values) => Array.isArray(values) && values.length > 0);
}

function checkFilled(found: Findings, field: string, fields: AuthorizationSource | AuthorizationOperation): void {
  for (const [name, values] of Object.entries(fields)) {
    for (const [index, value] of (values ?? []).entries()) {
      checkText(found, `${field}.${name}[${index}]`, value);
    }
  }
}

function checkText(found: Findings, field: string, text: string): void {
  if (text === '') found.error(field, 'must not be empty');
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > MAX_VALUE_BYTES) found.error(field, `must have at most ${MAX_VALUE_BYTES} bytes, and has ${bytes}`);
}

function checkSubnets(found: Findings, field: string, blocks: readonly string[] = []): void {
  for (const [index, block] of blocks.entries()) {
    if (!isSubnet(block))
      found.error(`${field}[${index}]`, `must be an address or a block such as "10.0.0.0/8", and is "${block}"`);
  }
}

function checkPortText(found: Findings, field: string, port: string): void {
  if (!/^[0-9]{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    found.error(field, `must be a port from 1 to 65535, and is "${port}"`);
  }
}
