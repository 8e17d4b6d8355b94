import { createHash, createPublicKey, generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { MAX_KEYS, MAX_KEYS_LENGTH, NO_KEYS, readJwkSet } from './jwk-set.ts';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const jwk = (key: KeyObject, more: object = {}): JsonWebKey => ({ ...key.export({ format: 'jwk' }), ...more });
const read = (keys: unknown, secrets = false) => readJwkSet(JSON.stringify({ keys }), secrets);
const reasons = (key: object) => {
  const set = read([key]);
  return typeof set === 'string' ? set : set.left;
};

describe('a JWK set', () => {
  test('gives its keys in order, also those that share a kid', () => {
    const set = read([
      jwk(rsa.publicKey, { kid: 'a', alg: 'RS256' }),
      jwk(ec.publicKey, { kid: 'a' }),
      jwk(ed.publicKey),
    ]);
    expect(set).toMatchObject({ count: 3, left: [] });
    const { keys } = JSON.parse((set as { text: string }).text);
    expect(keys.map(({ kty, kid }: JsonWebKey) => [kty, kid])).toEqual([
      ['RSA', 'a'],
      ['EC', 'a'],
      ['OKP', undefined],
    ]);
  });

  test('of private keys gives the public half alone', () => {
    const set = read([jwk(rsa.privateKey, { x5c: ['x'] }), jwk(ec.privateKey)]);
    const text = (set as { text: string }).text;
    expect(JSON.parse(text).keys.map((key: object) => Object.keys(key).sort())).toEqual([
      ['e', 'kty', 'n'],
      ['crv', 'kty', 'x', 'y'],
    ]);
  });

  test('leaves out what Envoy can not verify with, and says why', () => {
    const { n, ...withoutN } = jwk(rsa.publicKey);
    expect(n).toBeDefined();
    expect(reasons(withoutN)).toEqual(['keys[0] has no "n"']);
    expect(reasons(jwk(rsa.publicKey, { alg: 'RSA-OAEP' }))).toEqual([
      'keys[0] is not for signatures (alg "RSA-OAEP")',
    ]);
    expect(reasons(jwk(rsa.publicKey, { e: 'Ag' }))).toEqual(['keys[0] has an exponent other than 3 and 65537']);
    expect(reasons(jwk(ec.publicKey, { alg: 'ES384' }))).toEqual([
      'keys[0] is of a curve or "alg" that is not known: P-256 ES384',
    ]);
    expect(reasons(jwk(ec.publicKey, { x: 'AAAA' }))).toEqual(['keys[0] has values that are no key']);
    expect(reasons({ kty: 'toString' })).toEqual(['keys[0] is of an unknown kind (kty)']);
    expect(reasons([])).toEqual(['keys[0] is no object']);
  });

  test('has secrets only where they are not public', () => {
    const secret = { kty: 'oct', k: 'c2VjcmV0' };
    expect(read([secret])).toMatchObject({
      count: 0,
      left: ['keys[0] is a secret (kty "oct"), which must not be public'],
    });
    expect(read([secret], true)).toMatchObject({ count: 1 });
  });

  test('without keys has one that nobody can sign with', () => {
    expect(read([])).toEqual({ text: NO_KEYS, count: 0, left: [] });
    const [key] = JSON.parse(NO_KEYS).keys;
    expect(key.x).toBe(createHash('sha256').update('Nobody has the private key of this point, 0').digest('base64url'));
    expect(createPublicKey({ key, format: 'jwk' }).asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
  });

  test('is refused whole when it is none, or too long', () => {
    expect(readJwkSet('<html>', false)).toBe('is no JSON');
    for (const text of ['[]', 'null', '{}', '{"keys":{}}']) {
      expect(readJwkSet(text, false)).toBe('is no JWK set: it has no list "keys"');
    }
    const long = Array.from({ length: 200 }, () => jwk(rsa.publicKey));
    expect(read(long)).toBe(`has more than ${MAX_KEYS_LENGTH} bytes of keys`);
  });

  test('of more keys than anybody has is refused', () => {
    const bad = { kty: 'RSA', e: 'Aw', n: 'AA' };
    expect(reasons(bad)).toEqual([]);
    expect(read(Array.from({ length: MAX_KEYS + 1 }, () => bad))).toBe(`has more than ${MAX_KEYS} keys`);
  });
});
