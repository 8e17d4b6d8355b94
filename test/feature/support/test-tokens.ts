import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** An issuer of tokens with a key pair. */
export interface TestIssuer {
  readonly publicKey: KeyObject;
  readonly jwk: Readonly<Record<string, unknown>>;
  /** A token of these claims; one of undefined is left out. Header fields may be given as well. */
  token(claims?: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>): string;
}

export const ISSUER = 'https://id.example';

/** @param kid of its key and its tokens */
export function testIssuer(alg: 'RS256' | 'ES256' | 'EdDSA', kid: string, issuer = ISSUER): TestIssuer {
  const { publicKey, privateKey } = keyPair(alg);
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg };
  const digest = alg === 'EdDSA' ? null : 'sha256';
  return {
    publicKey,
    jwk,
    token(claims = {}, header = {}) {
      const signed = `${encode({ alg, kid, typ: 'JWT', ...header })}.${encode({ ...usualClaims(issuer), ...claims })}`;
      const signature = sign(digest, Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
      return `${signed}.${signature.toString('base64url')}`;
    },
  };
}

/** What a token says unless told otherwise. */
export function usualClaims(issuer = ISSUER): Record<string, unknown> {
  return { iss: issuer, sub: 'ann', aud: 'shop', exp: nowSeconds() + 3600 };
}

/** A token that is not signed, or signed with whatever is given as a secret. */
export function forgedToken(alg: string, secret: string | undefined, claims = usualClaims(), kid = 'a'): string {
  const signed = `${encode({ alg, kid, typ: 'JWT' })}.${encode(claims)}`;
  const signature = secret === undefined ? '' : createHmac('sha256', secret).update(signed).digest('base64url');
  return `${signed}.${signature}`;
}

export const nowSeconds = (): number => Math.floor(Date.now() / 1000);

/** As a part of a token. */
export const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function keyPair(alg: 'RS256' | 'ES256' | 'EdDSA') {
  if (alg === 'RS256') return generateKeyPairSync('rsa', { modulusLength: 2048 });
  return alg === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
}
