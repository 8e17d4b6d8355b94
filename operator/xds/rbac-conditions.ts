import { type AuthorizationAttribute, readAttribute } from '../../api/authorization-attribute.ts';
import type { AuthorizationCondition } from '../../api/authorization-policy.ts';
import type { Permission, Principal } from '../../generated/envoy/envoy/config/rbac/v3/rbac_pb.js';
import { among, permissions, principals } from './rbac-logic.ts';
import { destinationAddressRule, portRule, serverNameRule } from './rbac-permissions.ts';
import {
  claimId,
  headerId,
  metadataId,
  namespaceId,
  principalId,
  remoteAddressId,
  requestPrincipalId,
  serviceAccountId,
  sourceAddressId,
  trustDomainId,
} from './rbac-principals.ts';
import { matchHeader, matchHeaderList, matchMetadata, matchText, readPattern } from './rbac-values.ts';

/** What conditions come to: of who calls, and of what is called. */
export interface TranslatedConditions {
  readonly principals: readonly Principal[];
  readonly permissions: readonly Permission[];
}

/**
 * Conditions of a rule, which must all hold. A header may come several times, or hold a list. Joined they are one value (Istio), which alone lets a
 * request through; to stop it, one value in the list is enough.
 * @param namespace of the policy
 * @param denies what the rule matches
 */
export function translateConditions(
  conditions: readonly AuthorizationCondition[],
  namespace: string,
  denies: boolean,
): TranslatedConditions {
  const ids: Principal[] = [];
  const rules: Permission[] = [];
  for (const { key, values, notValues } of conditions) {
    const attribute = readAttribute(key);
    if (attribute === undefined) continue;
    const permission = permissionOf(attribute);
    if (permission !== undefined) rules.push(...among(permissions, values, notValues, permission));
    else if (attribute.kind === 'header') ids.push(...headerIds(attribute.name, { key, values, notValues }, denies));
    else ids.push(...among(principals, values, notValues, principalOf(attribute, namespace)));
  }
  return { principals: ids, permissions: rules };
}

function headerIds(name: string, { values, notValues }: AuthorizationCondition, denies: boolean): Principal[] {
  const whole = (value: string): Principal => headerId(matchHeader(name, readPattern(value)));
  const listed = (value: string): Principal => headerId(matchHeaderList(name, readPattern(value)));
  return [
    ...among(principals, values, undefined, denies ? listed : whole),
    ...among(principals, undefined, notValues, denies ? whole : listed),
  ];
}

function permissionOf({ kind }: AuthorizationAttribute): ((value: string) => Permission) | undefined {
  if (kind === 'destination-ip') return destinationAddressRule;
  if (kind === 'destination-port') return portRule;
  return kind === 'sni' ? serverNameRule : undefined;
}

function principalOf(attribute: AuthorizationAttribute, namespace: string): (value: string) => Principal {
  switch (attribute.kind) {
    case 'source-ip':
      return sourceAddressId;
    case 'remote-ip':
      return remoteAddressId;
    case 'source-namespace':
      return namespaceId;
    case 'source-principal':
      return principalId;
    case 'source-service-account':
      return (value) => serviceAccountId(value, namespace);
    case 'source-trust-domain':
      return trustDomainId;
    case 'request-principal':
      return requestPrincipalId;
    case 'audiences':
      return (value) => claimId(['aud'], matchText(readPattern(value)));
    case 'presenter':
      return (value) => claimId(['azp'], matchText(readPattern(value)));
    case 'claim':
      return (value) => claimId(attribute.path, matchText(readPattern(value)));
    case 'metadata':
      return (value) => metadataId(matchMetadata(attribute.filter, attribute.path, value));
    default:
      throw new Error(`${attribute.kind} is of what is called`);
  }
}
