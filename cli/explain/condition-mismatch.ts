import { type AuthorizationAttribute, readAttribute } from '../../api/authorization-attribute.ts';
import type { AuthorizationCondition } from '../../api/authorization-policy.ts';
import { redactHeader } from '../tap/redact.ts';
import type { CallFacts, Claims } from './call-facts.ts';
import type { CallerIdentity } from './caller-identity.ts';
import { fieldMismatch, inBlock, type RuleReading, remoteAddress } from './field-mismatch.ts';
import { matchesListed, matchesValue } from './policy-values.ts';
import { headerOf } from './request.ts';

/** What a condition looks at: as it may be shown, and whether it is some value; `listed`: whether it has that value among others. */
interface Subject {
  readonly own: string | undefined;
  readonly matches: (value: string) => boolean;
  readonly listed?: (value: string) => boolean;
}

/** Why a condition of a rule does not hold, in words; undefined: it does. */
export function conditionMismatch(
  { key, values, notValues }: AuthorizationCondition,
  facts: CallFacts,
  { namespace, stops }: RuleReading,
): string | undefined {
  const attribute = readAttribute(key);
  if (attribute === undefined) return undefined;
  const { own, matches, listed = matches } = subjectOf(attribute, facts, namespace);
  // A second value beside one that is stopped gets nobody past, and one beside an allowed one is not allowed.
  return fieldMismatch(key, own, values, notValues, stops ? listed : matches, stops ? matches : listed);
}

function subjectOf(attribute: AuthorizationAttribute, facts: CallFacts, namespace: string): Subject {
  const { identity, claims } = facts;
  switch (attribute.kind) {
    case 'header':
      return headerSubject(attribute.name, facts);
    case 'source-ip':
      return { own: facts.sourceIp, matches: inBlock(facts.sourceIp) };
    case 'remote-ip':
      return { own: remoteAddress(facts), matches: inBlock(remoteAddress(facts)) };
    case 'destination-ip':
      return { own: facts.destinationIp, matches: inBlock(facts.destinationIp) };
    case 'destination-port':
      return { own: String(facts.port), matches: (value) => Number(value) === facts.port };
    case 'source-namespace':
      return textSubject(identity?.namespace);
    case 'source-principal':
      return textSubject(identity?.principal);
    case 'source-trust-domain':
      return textSubject(identity?.trustDomain);
    case 'source-service-account':
      return {
        own: identity?.serviceAccount,
        matches: (value) => matchesServiceAccount(value, identity, namespace),
      };
    case 'request-principal':
      return {
        own: claims && `${claims.iss}/${claims.sub}`,
        matches: (value) => matchesRequestPrincipal(value, claims),
      };
    case 'audiences':
      return claimSubject(claims, ['aud']);
    case 'presenter':
      return claimSubject(claims, ['azp']);
    case 'claim':
      return claimSubject(claims, attribute.path);
    case 'sni':
      return textSubject(facts.serverName);
    default:
      // Metadata of other filters, which nothing in the mesh's own configuration writes.
      return textSubject(undefined);
  }
}

function textSubject(own: string | undefined): Subject {
  return { own, matches: (value) => matchesValue(value, own) };
}

function headerSubject(name: string, { request }: CallFacts): Subject {
  const pseudo: Readonly<Record<string, string | undefined>> = {
    ':method': request?.method,
    ':path': request?.path,
    ':authority': request?.authority,
    host: request?.authority,
    ':scheme': request?.scheme,
  };
  const own = Object.hasOwn(pseudo, name) ? pseudo[name] : request && headerOf(request, name);
  const shown = own === undefined ? undefined : redactHeader(name, own);
  return { own: shown, matches: (value) => matchesValue(value, own), listed: (value) => matchesListed(value, own) };
}

/** A claim may be a list, of which one is enough. */
function claimSubject(claims: Claims | undefined, path: readonly string[]): Subject {
  const found = path.reduce<unknown>((value, step) => (isRecord(value) ? value[step] : undefined), claims);
  const texts = (Array.isArray(found) ? found : [found]).filter((one) => typeof one === 'string');
  return {
    own: texts.length === 0 ? undefined : texts.join(', '),
    matches: (value) => texts.some((text) => matchesValue(value, text)),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `namespace/name`, or a name in the namespace of the policy; no wildcards. */
export function matchesServiceAccount(value: string, identity: CallerIdentity | undefined, namespace: string): boolean {
  const [first = '', second] = value.split('/');
  const [space, name] = second === undefined ? [namespace, first] : [first, second];
  return identity !== undefined && identity.namespace === space && identity.serviceAccount === name;
}

/** Issuer and subject of the token, joined by a slash; `*` is for every token that has both. */
export function matchesRequestPrincipal(value: string, claims: Claims | undefined): boolean {
  const { iss, sub } = claims ?? {};
  if (typeof iss !== 'string' || typeof sub !== 'string' || iss === '' || sub === '') return false;
  return matchesValue(value, `${iss}/${sub}`);
}
