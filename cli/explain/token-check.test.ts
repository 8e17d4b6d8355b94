import { constants, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { readJwkSet } from '../../api/jwk-set.ts';
import { encode, ISSUER, testIssuer, usualClaims } from '../../test/feature/support/test-tokens.ts';
import { checkToken } from './token-check.ts';

const NOW = Date.now() / 1000;
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
const SECRET = Buffer.from('a secret of the issuer');

/** One that the mesh takes (`readJwkSet`). */
function keySet(key: object, alg: string): string {
  const read = readJwkSet(JSON.stringify({ keys: [{ ...key, alg }] }), true);
  if (typeof read === 'string') throw new Error(read);
  expect(read.left).toEqual([]);
  return read.text;
}

function tokenOf(alg: string, signed: (text: Buffer) => Buffer): string {
  const text = `${encode({ alg, typ: 'JWT' })}.${encode(usualClaims())}`;
  return `${text}.${signed(Buffer.from(text)).toString('base64url')}`;
}

const rsa = (padding: number) => (text: Buffer) =>
  sign('sha256', text, { key: RSA.privateKey, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
const ec = (key: KeyObject, digest: string) => (text: Buffer) => sign(digest, text, { key, dsaEncoding: 'ieee-p1363' });
const P384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });

test.each([
  ['RS256', RSA.publicKey.export({ format: 'jwk' }), rsa(constants.RSA_PKCS1_PADDING)],
  ['PS256', RSA.publicKey.export({ format: 'jwk' }), rsa(constants.RSA_PKCS1_PSS_PADDING)],
  ['ES384', P384.publicKey.export({ format: 'jwk' }), ec(P384.privateKey, 'sha384')],
  [
    'HS256',
    { kty: 'oct', k: SECRET.toString('base64url') },
    (text: Buffer) => createHmac('sha256', SECRET).update(text).digest(),
  ],
])('a token signed by %s is valid with its key, and with none that it does not fit', (alg, key, signed) => {
  const token = tokenOf(alg, signed);
  expect(checkToken(token, { issuer: ISSUER }, keySet(key, alg), NOW)).toMatchObject({ kind: 'valid' });
  const other = JSON.stringify({ keys: [testIssuer('EdDSA', 'a').jwk] });
  expect(checkToken(token, { issuer: ISSUER }, other, NOW)).toMatchObject({ kind: 'invalid', status: 401 });
  const [head, body] = token.split('.');
  for (const forged of [
    `${head}.${body}.`,
    `${head}.${body}.AAAA`,
    `${head}.${encode({ ...usualClaims(), sub: 'bob' })}.${token.split('.')[2]}`,
  ])
    expect(checkToken(forged, { issuer: ISSUER }, keySet(key, alg), NOW)).toMatchObject({ kind: 'invalid' });
});

test.each<[string, object, object, unknown]>([
  ['scope, as ever', { scope: 'read write' }, {}, { scope: ['read', 'write'] }],
  ['what the rule names', { roles: ' a  b' }, { spaceDelimitedClaims: ['roles'] }, { roles: ['a', 'b'] }],
  ['no others', { roles: 'a b', scope: ['a b'] }, {}, { roles: 'a b', scope: ['a b'] }],
])('policies see claims that blanks part as lists: %s', (_what, claims, rule, seen) => {
  const issuer = testIssuer('ES256', 'a');
  const keys = JSON.stringify({ keys: [issuer.jwk] });
  expect(checkToken(issuer.token({ ...claims }), { issuer: ISSUER, ...rule }, keys, NOW)).toMatchObject({
    kind: 'valid',
    claims: seen,
  });
});
