import { create } from '@bufbuild/protobuf';
import { NO_KEYS } from '../../api/jwk-set.ts';
import type { JwtRule } from '../../api/request-authentication.ts';
import {
  type JwtProvider,
  JwtProviderSchema,
} from '../../generated/envoy/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js';
import type { AttachedTokens } from '../mesh/tokens.ts';
import { isAbout } from './inbound-shape.ts';
import type { TokenPlace } from './jwt-places.ts';
import { JWT_PAYLOAD } from './rbac-principals.ts';

/** A rule of a RequestAuthentication with its keys. */
export interface TokenProvider {
  /** `namespace/policy/index`. */
  readonly name: string;
  readonly rule: JwtRule;
  /** A JWK set; perhaps without any key. */
  readonly keys: string;
}

/** Claims that are lists separated by spaces, in Istio. */
const LISTS = ['permission', 'scope'];

/** Claims of a rule's tokens that policies see as lists of what blanks part. */
export function spacedClaims({ spaceDelimitedClaims = [] }: JwtRule): string[] {
  return [...new Set([...LISTS, ...spaceDelimitedClaims])].sort();
}

/** The rules that hold for a port, in order of their policies' names. */
export function tokenProviders(attached: readonly AttachedTokens[], port: number): TokenProvider[] {
  const here = attached.filter((one) => isAbout(one, port));
  return here.flatMap(({ rules: { ref, rules }, keys }) =>
    rules.map(({ rule }, index) => ({
      name: `${ref.namespace}/${ref.name}/${index}`,
      rule,
      keys: keys[index]?.text ?? NO_KEYS,
    })),
  );
}

/** What Envoy knows of a rule, for tokens at some places. */
export function buildProvider({ rule, keys }: TokenProvider, places: readonly TokenPlace[]): JwtProvider {
  const { issuer, audiences, forwardOriginalToken, outputPayloadToHeader, outputClaimToHeaders = [] } = rule;
  const named = (kind: TokenPlace['kind']) => places.filter((place) => place.kind === kind).map(({ name }) => name);
  return create(JwtProviderSchema, {
    issuer: issuer ?? '',
    audiences: audiences ?? [],
    jwksSourceSpecifier: { case: 'localJwks', value: { specifier: { case: 'inlineString', value: keys } } },
    forward: forwardOriginalToken ?? false,
    fromHeaders: places.flatMap((place) =>
      place.kind === 'header' ? [{ name: place.name, valuePrefix: place.prefix }] : [],
    ),
    fromParams: named('param'),
    fromCookies: named('cookie'),
    forwardPayloadHeader: outputPayloadToHeader ?? '',
    claimToHeaders: outputClaimToHeaders.map(({ header, claim }) => ({ headerName: header, claimName: claim })),
    payloadInMetadata: JWT_PAYLOAD,
    normalizePayloadInMetadata: { spaceDelimitedClaims: spacedClaims(rule) },
  });
}
