import { createPublicKey, type JsonWebKey } from 'node:crypto';

/** What is left of a JWK set: keys that Envoy can verify signatures with. */
export interface JwkSet {
  /** JSON for Envoy (`NO_KEYS` where none are left), with nothing of each key but what is needed; the order is that of the original. */
  readonly text: string;
  readonly count: number;
  /** Why keys were left out, one text each. */
  readonly left: readonly string[];
}

/**
 * In place of a set without keys, which Envoy refuses: with it no token is valid. Its one key is of a point of P-256 that was found by its x, the SHA-256 of
 * "Nobody has the private key of this point, 0".
 */
export const NO_KEYS = JSON.stringify({
  keys: [
    {
      kty: 'EC',
      alg: 'ES256',
      crv: 'P-256',
      x: 'BnKeSLR1N4HjCbxR4WJW6xxDnXSvQqFx5esif6PZ97E',
      y: 'dow0Yj0MQ5wSiC0XWhP1dVKrPhXJc8YhJSD_KII9zgg',
    },
  ],
});
/** Most bytes that keys may have: they are part of the listener of every proxy they are for. */
export const MAX_KEYS_LENGTH = 65_536;

/** Most keys that are looked at: some take a tenth of a millisecond to be found good or bad, and more would not fit. */
export const MAX_KEYS = 1000;

/** Members that are taken over, by the kind of key. Of a private key nothing else may go on. */
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  RSA: ['n', 'e'],
  EC: ['crv', 'x', 'y'],
  OKP: ['crv', 'x'],
  oct: ['k'],
};
const CURVES: Readonly<Record<string, string>> = { 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512' };
/** The exponents that Envoy takes: 3 and 65537. */
const EXPONENTS = new Set(['Aw', 'AQAB']);

/**
 * Reads a JWK set (RFC 7517), and leaves out the keys that Envoy would not read. Several keys may have one `kid`: each is tried.
 * @param text JSON
 * @param secrets whether keys of HMAC count; in a set that anybody can fetch they protect nothing
 * @returns a text says what is wrong, without a full stop
 */
export function readJwkSet(text: string, secrets: boolean): JwkSet | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return 'is no JSON';
  }
  const keys = isObject(json) ? json.keys : undefined;
  if (!Array.isArray(keys)) return 'is no JWK set: it has no list "keys"';
  if (keys.length > MAX_KEYS) return `has more than ${MAX_KEYS} keys`;
  const left: string[] = [];
  const taken: Record<string, string>[] = [];
  for (const [index, key] of keys.entries()) {
    const read = readKey(key, secrets);
    if (typeof read === 'string') left.push(`keys[${index}] ${read}`);
    else taken.push(read);
  }
  const result = taken.length === 0 ? NO_KEYS : JSON.stringify({ keys: taken });
  if (result.length > MAX_KEYS_LENGTH) return `has more than ${MAX_KEYS_LENGTH} bytes of keys`;
  return { text: result, count: taken.length, left };
}

function readKey(key: unknown, secrets: boolean): Record<string, string> | string {
  if (!isObject(key)) return 'is no object';
  const { kty, kid, alg = '' } = key;
  if (typeof kty !== 'string' || !Object.hasOwn(MEMBERS, kty)) return 'is of an unknown kind (kty)';
  if (typeof alg !== 'string') return 'has an "alg" that is no text';
  const read: Record<string, string> = { kty };
  if (typeof kid === 'string') read.kid = kid;
  if (alg !== '') read.alg = alg;
  for (const name of MEMBERS[kty] ?? []) {
    const value = key[name];
    if (typeof value !== 'string') return `has no "${name}"`;
    read[name] = value;
  }
  const problem = checkKind(read, alg, secrets);
  return problem ?? read;
}

function checkKind(key: Record<string, string>, alg: string, secrets: boolean): string | undefined {
  const { kty = '', crv = '', e = '' } = key;
  if (kty === 'oct') {
    if (!secrets) return 'is a secret (kty "oct"), which must not be public';
    return alg === '' || /^HS(256|384|512)$/.test(alg) ? undefined : `is not for signatures by "${alg}"`;
  }
  if (kty === 'RSA' && alg !== '' && !/^[RP]S(256|384|512)$/.test(alg)) return `is not for signatures (alg "${alg}")`;
  if (kty === 'RSA' && !EXPONENTS.has(e)) return 'has an exponent other than 3 and 65537';
  if (kty === 'EC' && (!Object.hasOwn(CURVES, crv) || (alg !== '' && alg !== CURVES[crv]))) {
    return `is of a curve or "alg" that is not known: ${crv} ${alg}`.trim();
  }
  if (kty === 'OKP' && (crv !== 'Ed25519' || (alg !== '' && alg !== 'EdDSA')))
    return `is not of Ed25519: ${crv} ${alg}`.trim();
  try {
    createPublicKey({ key: key as JsonWebKey, format: 'jwk' });
    return undefined;
  } catch {
    return 'has values that are no key';
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
