import { expect, test } from '@jest/globals';
import { NO_KEYS } from '../../api/jwk-set.ts';
import { tokenKeys } from '../mesh/jwks.ts';
import type { AttachedTokens } from '../mesh/tokens.ts';
import { tokenProviders } from './jwt-providers.ts';

function attached(name: string, issuers: readonly string[], keys: readonly string[], ports?: number[]): AttachedTokens {
  const ref = { kind: 'RequestAuthentication', namespace: 'shop', name } as const;
  const rules = { ref, rules: issuers.map((issuer) => ({ rule: { issuer } })), digest: '' };
  return { rules, keys: keys.map(tokenKeys), ...(ports && { ports }) };
}

test('each rule has its own keys, and without any those that nobody can sign with', () => {
  const found = tokenProviders(
    [attached('a', ['one', 'two', 'three'], ['1', '2']), attached('b', ['four'], ['4'])],
    80,
  );
  expect(found.map(({ name, rule, keys }) => `${name} ${rule.issuer} ${keys}`)).toEqual([
    'shop/a/0 one 1',
    'shop/a/1 two 2',
    `shop/a/2 three ${NO_KEYS}`,
    'shop/b/0 four 4',
  ]);
});

test('rules of other ports are none', () => {
  const all = [attached('a', ['one'], ['1'], [81]), attached('b', ['two'], ['2'], [80])];
  expect(tokenProviders(all, 80).map(({ name }) => name)).toEqual(['shop/b/0']);
});
