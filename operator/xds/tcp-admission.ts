import type { AuthorizationRule, AuthorizationSource } from '../../api/authorization-policy.ts';
import { httpOnlyFields } from '../../api/authorization-policy-judgement.ts';
import type { StringMatcher } from '../../generated/envoy/envoy/type/matcher/v3/string_pb.js';
import type { AttachedPolicy } from '../mesh/authorization.ts';
import { isAbout } from './inbound-shape.ts';
import { actionOf } from './rbac.ts';
import { namespaceName, principalName, serviceAccountName, trustDomainName } from './rbac-names.ts';

/** Who may open a connection at all, by the names in certificates. `nobody`: whoever it is, some rule denies, or none allows. */
export type TcpAdmission = 'anybody' | 'nobody' | readonly StringMatcher[];

/**
 * Who may open a connection to a port of TCP, as far as that is a matter of who calls. Envoy asks the rules when the caller's first byte is there
 * (https://github.com/envoyproxy/envoy/issues/9023), and a server that speaks first would have spoken to anybody by then: whom no rule can allow is
 * refused with the handshake. Those who are let in here are still asked all the rules.
 * @param port undefined: a port that nobody declared
 */
export function admitConnections(attached: readonly AttachedPolicy[], port: number | undefined): TcpAdmission {
  const here = attached.filter((one) => isAbout(one, port) && !one.rules.dryRun);
  if (here.some((one) => deniesAlways(one, port))) return 'nobody';
  const allowing = here.filter(({ rules }) => rules.action === 'ALLOW');
  if (allowing.length === 0) return 'anybody';
  const names: StringMatcher[] = [];
  for (const { rules } of allowing) {
    for (const rule of rules.rules) {
      if (httpOnlyFields(rule).length > 0) continue;
      for (const { source = {} } of rule.from ?? [{}]) {
        const some = namesOf(source, rule, rules.ref.namespace);
        if (some === undefined) return 'anybody';
        names.push(...some);
      }
    }
  }
  return names.length === 0 ? 'nobody' : names;
}

/** Whether a policy denies every connection to a port. @param port as above */
export function deniesAlways(policy: AttachedPolicy, port: number | undefined): boolean {
  return actionOf(policy, port, 'tcp') === 'DENY' && policy.rules.rules.some(isAlways);
}

/** Names of which one must be the caller's; of several lists that must all hold, the first does. Undefined: any. */
function namesOf(
  source: AuthorizationSource,
  { when = [] }: AuthorizationRule,
  namespace: string,
): StringMatcher[] | undefined {
  const valuesOf = (wanted: string) => when.find(({ key, values = [] }) => key === wanted && values.length > 0)?.values;
  const account = (value: string) => serviceAccountName(value, namespace);
  const lists: readonly [readonly string[] | undefined, (value: string) => StringMatcher][] = [
    [source.principals, principalName],
    [source.serviceAccounts, account],
    [source.namespaces, namespaceName],
    [source.trustDomains, trustDomainName],
    [valuesOf('source.principal'), principalName],
    [valuesOf('source.serviceAccount'), account],
    [valuesOf('source.namespace'), namespaceName],
    [valuesOf('source.trustDomain'), trustDomainName],
  ];
  for (const [values, name] of lists) if (values !== undefined && values.length > 0) return values.map(name);
  return undefined;
}

/** A rule that is about every connection. */
function isAlways({ from, to, when = [] }: AuthorizationRule): boolean {
  return from === undefined && to === undefined && when.length === 0;
}
