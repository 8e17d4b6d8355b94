import { generateKeyPairSync } from 'node:crypto';
import { type JwkSet, MAX_KEYS_LENGTH, readJwkSet } from '../../../api/jwk-set.ts';
import { asBuffer } from '../engine/as-buffer.ts';
import type { Target } from '../target.ts';
import { repeated } from './repeated.ts';

/** Most bytes that are read of a document (operator/jwks/document.ts). */
const DOCUMENT_BYTES = 1 << 20;

const keys = [
  generateKeyPairSync('rsa', { modulusLength: 2048 }),
  generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  generateKeyPairSync('ed25519'),
].map(({ publicKey }) => ({ ...publicKey.export({ format: 'jwk' }), kid: 'a' }));
const setOf = (...list: readonly object[]): Buffer => Buffer.from(JSON.stringify({ keys: list }));
const filled = (key: string): Buffer =>
  Buffer.from(`{"keys":[${repeated(`${key},`, DOCUMENT_BYTES - key.length - 12)}${key}]}`);

/** Documents at URIs that users name. */
export const target: Target = {
  name: 'jwk-set',
  about: 'JWK sets, of whoever a RequestAuthentication names',
  form: 'json',
  seeds: [setOf(...keys), setOf({ kty: 'oct', k: 'AAAA', alg: 'HS256' }), setOf()],
  *largest() {
    for (const key of keys) yield filled(JSON.stringify(key));
    const { kty, crv, x } = keys[2] as { kty: string; crv: string; x: string };
    yield filled(JSON.stringify({ kty, crv, x, y: x }));
    for (const key of ['0', '{}', '{"kty":"OKP","crv":"Ed25519","x":""}', '{"kty":"RSA","e":"Aw","n":"AA"}'])
      yield filled(key);
    yield setOf({ kty: 'RSA', e: 'AQAB', n: '_'.repeat(DOCUMENT_BYTES - 60) });
    yield Buffer.from('['.repeat(DOCUMENT_BYTES));
    yield Buffer.from(`{"keys":${'['.repeat(DOCUMENT_BYTES / 2 - 10)}${']'.repeat(DOCUMENT_BYTES / 2 - 10)}}`);
  },
  run(bytes) {
    const text = asBuffer(bytes).toString();
    // One that users write themselves may have secrets; any other is read in the same way.
    if (readOnce(text, false)?.left.some((why) => why.includes('secret'))) readOnce(text, true);
  },
};

function readOnce(text: string, secrets: boolean): JwkSet | undefined {
  const set = readJwkSet(text, secrets);
  if (typeof set === 'string') return undefined;
  const read = JSON.parse(set.text).keys.length;
  if (set.text.length > MAX_KEYS_LENGTH || read !== Math.max(1, set.count))
    throw new Error('the set is not as it says');
  return set;
}
