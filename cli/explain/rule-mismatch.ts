import type { AuthorizationOperation, AuthorizationRule, AuthorizationSource } from '../../api/authorization-policy.ts';
import { isPathTemplate } from '../../api/path-template.ts';
import { templateExpression, UNCLEAR } from '../../operator/xds/rbac-paths.ts';
import { redactPath } from '../tap/redact.ts';
import type { CallFacts } from './call-facts.ts';
import { conditionMismatch, matchesRequestPrincipal, matchesServiceAccount } from './condition-mismatch.ts';
import { fieldMismatch, inBlock, type Judge, type RuleReading, remoteAddress } from './field-mismatch.ts';
import { matchesValue } from './policy-values.ts';
import { barePath } from './request.ts';
import { matchesExpression } from './text-match.ts';

/** Why a call is not one that a rule is about, in words; undefined: it is one. */
export function ruleMismatch(rule: AuthorizationRule, facts: CallFacts, reading: RuleReading): string | undefined {
  return (
    conditionsMismatch(rule, facts, reading) ??
    leastMismatch(rule.from ?? [{}], ({ source = {} }) => sourceMismatch(source, facts, reading)) ??
    leastMismatch(rule.to ?? [{}], ({ operation = {} }) => operationMismatch(operation, facts, reading))
  );
}

function conditionsMismatch({ when = [] }: AuthorizationRule, facts: CallFacts, reading: RuleReading) {
  for (const condition of when) {
    const found = conditionMismatch(condition, facts, reading);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** One of the alternatives is enough; where none is, all are named. */
function leastMismatch<T>(items: readonly T[], judge: (item: T) => string | undefined): string | undefined {
  const found: string[] = [];
  for (const item of items) {
    const one = judge(item);
    if (one === undefined) return undefined;
    found.push(one);
  }
  return [...new Set(found)].join(', and ');
}

function sourceMismatch(source: AuthorizationSource, facts: CallFacts, { namespace }: RuleReading): string | undefined {
  const { identity, sourceIp, request, claims } = facts;
  const remoteIp = remoteAddress(facts);
  const user = claims && `${claims.iss}/${claims.sub}`;
  const principal: Judge = (value) => matchesValue(value, identity?.principal);
  const account: Judge = (value) => matchesServiceAccount(value, identity, namespace);
  const { principals, notPrincipals, namespaces, notNamespaces, serviceAccounts, notServiceAccounts } = source;
  return (
    fieldMismatch("caller's identity", identity?.principal, principals, notPrincipals, principal) ??
    (request &&
      fieldMismatch('end user', user, source.requestPrincipals, source.notRequestPrincipals, (value) =>
        matchesRequestPrincipal(value, claims),
      )) ??
    fieldMismatch("caller's namespace", identity?.namespace, namespaces, notNamespaces, (value) =>
      matchesValue(value, identity?.namespace),
    ) ??
    fieldMismatch("caller's ServiceAccount", accountOf(facts), serviceAccounts, notServiceAccounts, account) ??
    fieldMismatch(
      "caller's trust domain",
      identity?.trustDomain,
      source.trustDomains,
      source.notTrustDomains,
      (value) => matchesValue(value, identity?.trustDomain),
    ) ??
    fieldMismatch("caller's address", sourceIp, source.ipBlocks, source.notIpBlocks, inBlock(sourceIp)) ??
    fieldMismatch("client's address", remoteIp, source.remoteIpBlocks, source.notRemoteIpBlocks, inBlock(remoteIp))
  );
}

function operationMismatch(operation: AuthorizationOperation, facts: CallFacts, { stops }: RuleReading) {
  const { request, port } = facts;
  const ports = fieldMismatch(
    'port',
    String(port),
    operation.ports,
    operation.notPorts,
    (value) => Number(value) === port,
  );
  if (request === undefined) return ports;
  const { authority, method } = request;
  return (
    ports ??
    fieldMismatch('host', authority, operation.hosts, operation.notHosts, (value) =>
      matchesValue(value, authority, true),
    ) ??
    fieldMismatch('method', method, operation.methods, operation.notMethods, (value) => matchesValue(value, method)) ??
    pathMismatch(operation, barePath(request.path), stops)
  );
}

/** A path that some servers take for another one (`translatePaths`): who stops paths stops it, who allows some does not allow it. */
function pathMismatch({ paths, notPaths }: AuthorizationOperation, path: string, stops: boolean): string | undefined {
  if ((paths ?? []).length === 0 && (notPaths ?? []).length === 0) return undefined;
  if (matchesExpression(UNCLEAR, path))
    return stops ? undefined : `path is ${redactPath(path)}, which servers read in more than one way`;
  return fieldMismatch('path', redactPath(path), paths, notPaths, (value) => matchesPath(value, path));
}

function matchesPath(value: string, path: string): boolean {
  return isPathTemplate(value) ? matchesExpression(templateExpression(value), path) : matchesValue(value, path);
}

function accountOf({ identity }: CallFacts): string | undefined {
  return identity?.serviceAccount === undefined ? undefined : `${identity.namespace}/${identity.serviceAccount}`;
}
