import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { jwksSourceOf } from './jwks-source.ts';
import { judgeRequestAuthentication } from './request-authentication-judgement.ts';

const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwks = JSON.stringify({ keys: [publicKey.export({ format: 'jwk' })] });
const RULE = { issuer: 'https://id.example', jwks };
const errors = (...jwtRules: object[]) => judgeRequestAuthentication({ jwtRules }).errors.map(({ field }) => field);
const warnings = (...jwtRules: object[]) =>
  judgeRequestAuthentication({ jwtRules }).warnings.map(({ field, message }) => `${field} ${message}`);

describe('a RequestAuthentication', () => {
  test('may have every field', () => {
    const { jwks: _, ...rule } = {
      ...RULE,
      jwksUri: 'https://id.example/keys',
      audiences: ['shop'],
      fromHeaders: [{ name: 'x-token', prefix: 'JWT ' }],
      fromParams: ['token'],
      fromCookies: ['session'],
      forwardOriginalToken: true,
      outputPayloadToHeader: 'x-claims',
      outputClaimToHeaders: [{ header: 'x-group', claim: 'realm.group' }],
      timeout: '2s',
      spaceDelimitedClaims: ['roles'],
    };
    const judged = judgeRequestAuthentication({ selector: { matchLabels: { app: 'a' } }, jwtRules: [rule] });
    expect(judged).toMatchObject({ errors: [], warnings: [], spec: { jwtRules: [rule] } });
  });

  test.each([
    ['a rule that no token can be told by', {}, 'issuer'],
    ['keys and a place of keys', { ...RULE, jwksUri: 'https://id.example' }, 'jwks'],
    ['keys that are no JWK set', { ...RULE, jwks: 'secret' }, 'jwks'],
    ['another scheme', { issuer: 'a', jwksUri: 'file:///etc/passwd' }, 'jwksUri'],
    ['a password', { issuer: 'a', jwksUri: 'https://me:secret@id.example' }, 'jwksUri'],
    ['an empty audience', { ...RULE, audiences: [''] }, 'audiences[0]'],
    ['an empty parameter', { ...RULE, fromParams: [''] }, 'fromParams[0]'],
    ['a parameter that is too long', { ...RULE, fromParams: ['x'.repeat(129)] }, 'fromParams[0]'],
    ['a cookie that is too long', { ...RULE, fromCookies: ['x'.repeat(129)] }, 'fromCookies[0]'],
    ['a header that is none', { ...RULE, fromHeaders: [{ name: 'a b' }] }, 'fromHeaders[0].name'],
    ['a line break', { ...RULE, fromHeaders: [{ name: 'a', prefix: 'a\r\n' }] }, 'fromHeaders[0].prefix'],
    ['a pseudo-header', { ...RULE, outputPayloadToHeader: ':path' }, 'outputPayloadToHeader'],
    ['the host', { ...RULE, outputPayloadToHeader: 'Host' }, 'outputPayloadToHeader'],
    [
      'a claim in a header of tokens',
      { ...RULE, fromHeaders: [{ name: 'X' }], outputPayloadToHeader: 'x' },
      'outputPayloadToHeader',
    ],
    [
      'a claim without a name',
      { ...RULE, outputClaimToHeaders: [{ header: 'x', claim: '' }] },
      'outputClaimToHeaders[0].claim',
    ],
    ['a timeout that is none', { ...RULE, timeout: 'soon' }, 'timeout'],
  ])('must not have %s', (_, rule, field) => {
    expect(errors(rule)).toEqual([`spec.jwtRules[0].${field}`]);
  });

  test('must not have a selector beside targets', () => {
    const targetRefs = [{ kind: 'Service', name: 'a', group: '' }];
    const fields = (spec: object) => judgeRequestAuthentication(spec).errors.map(({ field }) => field);
    expect(fields({ targetRefs, jwtRules: [RULE] })).toEqual([]);
    expect(fields({ targetRefs, selector: {}, jwtRules: [RULE] })).toEqual(['spec.selector']);
    expect(fields({ targetRefs: [{ kind: 'Gateway', name: 'a', group: 'x' }], jwtRules: [RULE] })).toHaveLength(2);
  });

  test('hears of keys that come by an open line, and of those that nobody can find', () => {
    expect(warnings({ issuer: 'a', jwksUri: 'http://id.example' })[0]).toMatch('is not of https');
    expect(warnings({ issuer: 'me@example' })[0]).toMatch('no token is valid');
    expect(warnings({ ...RULE, jwks: '{"keys":[]}' })[0]).toMatch('no token is valid: it is empty');
  });
});

describe('the keys of a rule', () => {
  test('are its own, else where it says, else where its issuer says', () => {
    const uri = 'https://id.example/keys';
    expect(jwksSourceOf(RULE)).toEqual({ kind: 'inline', text: jwks });
    expect(jwksSourceOf({ issuer: 'x', jwksUri: uri })).toEqual({ kind: 'uri', uri, timeoutMs: 5000 });
    expect(jwksSourceOf({ jwks_uri: uri, timeout: '2h' })).toEqual({ kind: 'uri', uri, timeoutMs: 30_000 });
    expect(jwksSourceOf({ issuer: 'https://id.example/' })).toMatchObject({
      uri: 'https://id.example/.well-known/openid-configuration',
    });
    expect(jwksSourceOf({ issuer: 'me@example' })).toEqual({ kind: 'nowhere' });
  });
});
