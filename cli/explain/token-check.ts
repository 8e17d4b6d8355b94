import { constants, createHmac, createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import type { JwtRule } from '../../api/request-authentication.ts';
import { spacedClaims } from '../../operator/xds/jwt-providers.ts';
import type { Claims } from './call-facts.ts';

/** What is to be said of a token by one rule. */
export type TokenFinding =
  | { readonly kind: 'valid'; readonly claims: Claims }
  | { readonly kind: 'invalid'; readonly reason: string; readonly status: 401 | 403 }
  /** All is well but for the signature, of which nobody here has the keys. */
  | { readonly kind: 'unverified'; readonly claims: Claims };

/** Clocks may differ by so much, in seconds (Envoy's default). */
const CLOCK_SKEW_S = 60;

/** Which keys are for an algorithm, by how its name begins (RFC 7518, 3.1, and RFC 8037). */
const KEYS: Readonly<Record<string, string>> = { RS: 'RSA', PS: 'RSA', ES: 'EC', HS: 'oct', Ed: 'OKP' };
const ALGORITHM = /^(?:[RPEH]S(?:256|384|512)|EdDSA)$/;

/**
 * Judges a token as the sidecar would.
 * @param keys a JWK set; undefined: nobody here knows the keys
 * @param now seconds since the epoch
 */
export function checkToken(token: string, rule: JwtRule, keys: string | undefined, now: number): TokenFinding {
  const [head = '', body = '', signature = '', ...more] = token.split('.');
  const header = readPart(head);
  const claims = readPart(body);
  if (header === undefined || claims === undefined || more.length > 0) return invalid('it is no JWT');
  if (rule.issuer !== undefined && rule.issuer !== '' && claims.iss !== rule.issuer) {
    return invalid(`its issuer is ${JSON.stringify(claims.iss)}, wanted ${rule.issuer}`);
  }
  if (typeof claims.exp === 'number' && claims.exp + CLOCK_SKEW_S < now) return invalid('it has expired');
  if (typeof claims.nbf === 'number' && claims.nbf - CLOCK_SKEW_S > now) return invalid('it is not valid yet');
  const audiences = rule.audiences ?? [];
  if (audiences.length > 0 && !listOf(claims.aud).some((one) => audiences.includes(one))) {
    const reason = `its audience is ${JSON.stringify(claims.aud)}, wanted ${audiences.join(' or ')}`;
    return { kind: 'invalid', reason, status: 403 };
  }
  const seen = asSeen(claims, rule);
  if (keys === undefined) return { kind: 'unverified', claims: seen };
  const isSigned = isSignedBy(`${head}.${body}`, Buffer.from(signature, 'base64url'), header, keys);
  return isSigned ? { kind: 'valid', claims: seen } : invalid('no key of the issuer has signed it');
}

/** Claims as policies see them. */
function asSeen(claims: Claims, rule: JwtRule): Claims {
  const lists = spacedClaims(rule).flatMap((name) => {
    const text = claims[name];
    return typeof text === 'string' ? [[name, text.split(' ').filter((one) => one !== '')] as const] : [];
  });
  return { ...claims, ...Object.fromEntries(lists) };
}

function invalid(reason: string): TokenFinding {
  return { kind: 'invalid', reason, status: 401 };
}

function readPart(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function listOf(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).filter((one) => typeof one === 'string');
}

function isSignedBy(signed: string, signature: Buffer, { alg, kid }: Record<string, unknown>, keys: string): boolean {
  const set = JSON.parse(keys) as {
    readonly keys?: readonly (JsonWebKey & { readonly kid?: string; readonly alg?: string })[];
  };
  if (typeof alg !== 'string' || !ALGORITHM.test(alg)) return false;
  return (set.keys ?? []).some((jwk) => {
    if (kid !== undefined && jwk.kid !== undefined && kid !== jwk.kid) return false;
    if (jwk.kty !== KEYS[alg.slice(0, 2)] || (jwk.alg !== undefined && jwk.alg !== alg)) return false;
    try {
      return verifies(Buffer.from(signed), signature, alg, jwk);
    } catch {
      return false;
    }
  });
}

/** @throws where the key is none */
function verifies(signed: Buffer, signature: Buffer, alg: string, jwk: JsonWebKey): boolean {
  const digest = `sha${alg.slice(2)}`;
  if (jwk.kty === 'oct') {
    return createHmac(digest, Buffer.from(jwk.k ?? '', 'base64url'))
      .update(signed)
      .digest()
      .equals(signature);
  }
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST: saltLength } = constants;
  const pss = alg.startsWith('PS') ? { padding, saltLength } : {};
  return verify(alg === 'EdDSA' ? null : digest, signed, { key, dsaEncoding: 'ieee-p1363', ...pss }, signature);
}
