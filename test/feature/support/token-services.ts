import { encode, ISSUER, testIssuer } from './test-tokens.ts';
import type { Guarded } from './token-bed.ts';

export const rsa = testIssuer('RS256', 'a');
export const ec = testIssuer('ES256', 'b');
export const ed = testIssuer('EdDSA', 'c');
/** The same kid as that of another key. */
export const twin = testIssuer('ES256', 'a');
export const other = testIssuer('ES256', 'o', 'https://other.example');
export const stranger = testIssuer('RS256', 'a');
const jwks = (...issuers: { readonly jwk: object }[]): string =>
  JSON.stringify({ keys: issuers.map(({ jwk }) => jwk) });
const ALL = jwks(rsa, ec, ed, twin);
/** As long as a name may be. */
export const LONG = 'x'.repeat(128);
export const RULE = { issuer: ISSUER, jwks: ALL };

export const SERVICES: Record<string, Guarded> = {
  plain: { jwtRules: [{ ...RULE, audiences: ['shop', 'admin'] }] },
  kept: { jwtRules: [{ ...RULE, forwardOriginalToken: true }] },
  places: {
    jwtRules: [
      {
        ...RULE,
        fromHeaders: [{ name: 'X-Token' }, { name: 'authorization', prefix: 'JWT ' }],
        fromParams: ['token'],
        fromCookies: ['session'],
        forwardOriginalToken: true,
        outputPayloadToHeader: 'x-claims',
        outputClaimToHeaders: [
          { header: 'x-group', claim: 'realm.group' },
          { header: 'x-level', claim: 'level' },
        ],
      },
    ],
  },
  several: {
    jwtRules: [
      { issuer: ISSUER, jwks: jwks(rsa) },
      { issuer: ISSUER, jwks: jwks(ec), outputClaimToHeaders: [{ header: 'x-second', claim: 'sub' }] },
      { issuer: 'https://other.example', jwks: jwks(other), fromHeaders: [{ name: 'x-other' }] },
    ],
  },
  long: {
    jwtRules: [{ ...RULE, fromParams: [LONG], fromCookies: [LONG], fromHeaders: [{ name: 'x', prefix: LONG }] }],
  },
  keyless: { jwtRules: [{ issuer: ISSUER, jwksUri: 'https://id.example/keys' }] },
  secret: { jwtRules: [{ issuer: ISSUER, jwks: JSON.stringify({ keys: [{ kty: 'oct', k: encode('x') }] }) }] },
  allowed: {
    jwtRules: [RULE, { issuer: 'https://other.example', jwks: jwks(other), spaceDelimitedClaims: ['roles'] }],
    authorization: {
      rules: [
        { from: [{ source: { requestPrincipals: [`${ISSUER}/ann`] } }] },
        { when: [{ key: 'request.auth.claims[scope]', values: ['write'] }] },
        { when: [{ key: 'request.auth.claims[roles]', values: ['boss'] }] },
        { when: [{ key: 'request.auth.claims[realm][group]', values: ['ops'] }] },
        { when: [{ key: 'request.auth.audiences', values: ['admin'] }] },
        { when: [{ key: 'request.auth.presenter', values: ['app-1'] }] },
      ],
    },
  },
  denied: {
    jwtRules: [RULE],
    authorization: {
      action: 'DENY',
      rules: [
        { from: [{ source: { notRequestPrincipals: ['*'] } }] },
        { when: [{ key: 'request.auth.claims[sub]', values: ['eve'] }] },
      ],
    },
  },
};
