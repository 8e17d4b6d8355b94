import { z } from 'zod';
import type { PolicyStatus } from './peer-authentication.ts';
import { policyAim } from './policy-aim.ts';

export const REQUEST_AUTHENTICATION_KIND = 'RequestAuthentication';

const texts = (description: string) => z.array(z.string()).optional().describe(description);

const headerLocation = z.object({
  name: z.string().describe('Name of the header.'),
  prefix: z.string().optional().describe('What stands before the token, as "Bearer ". Default: nothing.'),
});

const claimToHeader = z.object({
  header: z.string().describe('Header that gets the claim; what a client has put there is removed.'),
  claim: z
    .string()
    .describe('Claim; "a.b" is the claim b in the claim a. Its value must be a text, a number or a boolean.'),
});

const jwtRule = z.object({
  issuer: z
    .string()
    .optional()
    .describe('Who issued the token: its claim "iss". Without one: anybody with such a key.'),
  audiences: texts('Audiences of which the token must have one. Without any: they are not looked at.'),
  jwksUri: z
    .string()
    .optional()
    .describe(
      'Where the operator fetches the keys (a JWK set). Without it and jwks: by OpenID discovery at the issuer.',
    ),
  jwks_uri: z.string().optional().describe('Another spelling of jwksUri.'),
  jwks: z.string().optional().describe('The keys themselves: a JWK set in JSON.'),
  fromHeaders: z
    .array(headerLocation)
    .optional()
    .describe(
      'Headers with the token. Without any location: Authorization after "Bearer ", and the parameter access_token.',
    ),
  fromParams: texts('Parameters of the query with the token.'),
  fromCookies: texts('Cookies with the token.'),
  outputPayloadToHeader: z
    .string()
    .optional()
    .describe(
      'Header that gets the claims of a valid token, as base64url of JSON; what a client has put there is removed.',
    ),
  forwardOriginalToken: z.boolean().optional().describe('Whether the application gets the token. Default false.'),
  outputClaimToHeaders: z.array(claimToHeader).optional().describe('Claims of a valid token that go into headers.'),
  timeout: z.string().optional().describe('How long fetching the keys may take. Default 5s; at most 30s.'),
  spaceDelimitedClaims: z
    .array(z.string())
    .max(64)
    .optional()
    .describe('Claims that are lists separated by spaces, besides "scope" and "permission".'),
});

/** `security.istio.io` RequestAuthentication, field for field. */
export const requestAuthenticationSpec = z.object({
  ...policyAim,
  jwtRules: z
    .array(jwtRule)
    .max(4096)
    .optional()
    .describe(
      'Tokens that are valid. A request with another is refused, one without any is not; an AuthorizationPolicy may ask for one.',
    ),
});

export type RequestAuthenticationSpec = z.infer<typeof requestAuthenticationSpec>;
export type JwtRule = z.infer<typeof jwtRule>;

export interface RequestAuthentication {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string; uid?: string; generation?: number; creationTimestamp?: string };
  spec?: RequestAuthenticationSpec;
  status?: PolicyStatus;
}
