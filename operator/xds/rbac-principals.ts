import { create } from '@bufbuild/protobuf';
import type { AuthorizationSource } from '../../api/authorization-policy.ts';
import { type CidrRange, CidrRangeSchema } from '../../generated/envoy/envoy/config/core/v3/address_pb.js';
import { type Principal, PrincipalSchema } from '../../generated/envoy/envoy/config/rbac/v3/rbac_pb.js';
import type { HeaderMatcher } from '../../generated/envoy/envoy/config/route/v3/route_components_pb.js';
import type { MetadataMatcher } from '../../generated/envoy/envoy/type/matcher/v3/metadata_pb.js';
import type { StringMatcher } from '../../generated/envoy/envoy/type/matcher/v3/string_pb.js';
import { readRange } from './address-range.ts';
import { among, principals } from './rbac-logic.ts';
import { namespaceName, principalName, serviceAccountName, trustDomainName } from './rbac-names.ts';
import { matchClaim, matchText, readPattern, type ValuePattern } from './rbac-values.ts';

/** Under which name the filter that verifies JWTs leaves their claims. */
export const JWT_METADATA = 'envoy.filters.http.jwt_authn';
/** In the claims of which the first step is this. */
export const JWT_PAYLOAD = 'payload';

/**
 * Who calls, of one source of a rule: all must hold.
 * @param namespace of the policy, in which names of ServiceAccounts are meant
 * @param isHttp false: what only requests have counts as not written
 */
export function translateSource(source: AuthorizationSource, namespace: string, isHttp: boolean): Principal[] {
  const accountOf = (value: string) => serviceAccountId(value, namespace);
  return [
    ...among(principals, source.principals, source.notPrincipals, principalId),
    ...(isHttp ? among(principals, source.requestPrincipals, source.notRequestPrincipals, requestPrincipalId) : []),
    ...among(principals, source.namespaces, source.notNamespaces, namespaceId),
    ...among(principals, source.serviceAccounts, source.notServiceAccounts, accountOf),
    ...among(principals, source.trustDomains, source.notTrustDomains, trustDomainId),
    ...among(principals, source.ipBlocks, source.notIpBlocks, sourceAddressId),
    ...among(principals, source.remoteIpBlocks, source.notRemoteIpBlocks, remoteAddressId),
  ];
}

/** By its certificate: `cluster.local/ns/shop/sa/ui`. */
export const principalId = (value: string): Principal => authenticated(principalName(value));
/** By the namespace in its certificate. */
export const namespaceId = (value: string): Principal => authenticated(namespaceName(value));
/** By the trust domain in its certificate. */
export const trustDomainId = (value: string): Principal => authenticated(trustDomainName(value));
/** By the ServiceAccount in its certificate: `namespace/name`, or a name in the namespace of the policy. */
export const serviceAccountId = (value: string, namespace: string): Principal =>
  authenticated(serviceAccountName(value, namespace));

/** By the address its connection comes from. */
export function sourceAddressId(value: string): Principal {
  return create(PrincipalSchema, { identifier: { case: 'directRemoteIp', value: cidr(value) } });
}

/** By its address as proxies before us tell it. */
export function remoteAddressId(value: string): Principal {
  return create(PrincipalSchema, { identifier: { case: 'remoteIp', value: cidr(value) } });
}

/** By the end user: issuer and subject of the JWT, joined by a slash, of which both may have more. */
export function requestPrincipalId(value: string): Principal {
  const claim = (name: string, pattern: ValuePattern) => claimId([name], matchText(pattern));
  const pattern = readPattern(value);
  const present = { kind: 'present' } as const;
  if (pattern.kind === 'present') return principals.and([claim('iss', present), claim('sub', present)]);
  const { kind, text } = pattern;
  const ways: Principal[] = [];
  for (let slash = text.indexOf('/'); slash >= 0; slash = text.indexOf('/', slash + 1)) {
    const [left, right] = [text.slice(0, slash), text.slice(slash + 1)];
    const issuer = claim('iss', kind === 'suffix' ? open('suffix', left) : { kind: 'exact', text: left });
    const subject = claim('sub', kind === 'prefix' ? open('prefix', right) : { kind: 'exact', text: right });
    ways.push(principals.and([issuer, subject]));
  }
  if (kind === 'prefix') ways.push(principals.and([claim('iss', pattern), claim('sub', present)]));
  if (kind === 'suffix') ways.push(principals.and([claim('sub', pattern), claim('iss', present)]));
  return ways.length === 0 ? principals.not(principals.any()) : principals.or(ways);
}

/** What begins or ends with nothing is anything. */
function open(kind: 'prefix' | 'suffix', text: string): ValuePattern {
  return text === '' ? { kind: 'present' } : { kind, text };
}

/** By a claim of the JWT. */
export function claimId(path: readonly string[], matcher: StringMatcher): Principal {
  return metadataId(matchClaim(JWT_METADATA, [JWT_PAYLOAD, ...path], matcher));
}

export function metadataId(value: MetadataMatcher): Principal {
  return create(PrincipalSchema, { identifier: { case: 'metadata', value } });
}

export function headerId(value: HeaderMatcher): Principal {
  return create(PrincipalSchema, { identifier: { case: 'header', value } });
}

function authenticated(principalName: StringMatcher): Principal {
  return create(PrincipalSchema, { identifier: { case: 'authenticated', value: { principalName } } });
}

/** @param block valid: an address or a block */
export function cidr(block: string): CidrRange {
  const { prefix, length } = readRange(block) ?? { prefix: block, length: 128 };
  return create(CidrRangeSchema, { addressPrefix: prefix, prefixLen: length });
}
