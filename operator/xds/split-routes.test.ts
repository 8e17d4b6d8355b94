import { expect, test } from '@jest/globals';
import type { HttpRule } from '../mesh/route-rule.ts';
import type { SplitTerms } from '../mesh/split-terms.ts';
import type { ResolvedBackend } from './http-route-context.ts';
import { splitRule } from './split-routes.ts';
import { backend, CONTEXT, match, rule } from './testing/http-rule-fixture.ts';

const cookie = (name: string) => ({ name, value: 'r2', header: '' });
const terms = (more: Partial<SplitTerms>): SplitTerms => ({ matches: [], mirror: 0, key: '', ...more });

/** Services that are split, by the terms given. */
function contextOf(splits: Readonly<Record<string, SplitTerms>>) {
  const resolve = ({ hostname }: { readonly hostname: string }): ResolvedBackend => {
    const own = splits[hostname];
    const shares = [{ cluster: hostname, weight: 100 }];
    if (own === undefined) return { shares, hashPolicies: [] };
    const split = { canary: hostname, stable: `${hostname} r1`, next: `${hostname} r2`, terms: own } as const;
    return { shares, hashPolicies: [], split };
  };
  return { ...CONTEXT, resolve };
}

/** Which requests of a rule go where, the first first: the cookies or headers that they have, and the clusters. */
function parts(one: HttpRule, splits: Readonly<Record<string, SplitTerms>>): string[] {
  const { action } = one;
  const backends = action.kind === 'forward' ? action.backends : [];
  return splitRule(one, contextOf(splits)).map(({ condition, context }) => {
    const names = [...(condition?.headers ?? []), ...(condition?.cookies ?? [])].map(({ name }) => name);
    const clusters = backends.flatMap((to) => context.resolve(to).shares.map(({ cluster }) => cluster));
    return `${names.join('+') || 'rest'}: ${clusters.join(', ')}`;
  });
}

const to = (...names: string[]): HttpRule =>
  rule({ action: { kind: 'forward', backends: names.map((name) => backend(name, 50)) } });
const beta = terms({ matches: [match({ headers: [{ name: 'beta' }] })] });

test.each<[string, HttpRule, Record<string, SplitTerms>, string[]]>([
  ['without a split all of them go as they did', to('a', 'b'), {}, ['rest: a, b']],
  ['a split by weight alone adds none', to('a'), { a: terms({ mirror: 5 }) }, ['rest: a']],
  [
    'what matches goes to the new side, of that backend alone',
    to('a', 'b'),
    { a: beta },
    ['beta: a r2, b', 'rest: a, b'],
  ],
  [
    'matches come before cookies, and the cookie of the new side before that of the old',
    to('a'),
    { a: { ...beta, nextCookie: cookie('new'), stableCookie: cookie('old') } },
    ['beta: a r2', 'new: a r2', 'old: a r1', 'rest: a'],
  ],
  [
    'users of two releases are on the side of each',
    to('a', 'b'),
    { a: terms({ nextCookie: cookie('x') }), b: terms({ nextCookie: cookie('y') }) },
    ['x+y: a r2, b r2', 'y: a, b r2', 'x: a r2, b', 'rest: a, b'],
  ],
])('%s', (_, one, splits, expected) => {
  expect(parts(one, splits)).toEqual(expected);
});

test('a rule over very many splits does not come to very many routes', () => {
  const names = Array.from({ length: 40 }, (_, index) => `s${index}`);
  const splits = Object.fromEntries(names.map((name) => [name, terms({ nextCookie: cookie(name) })]));
  expect(parts(to(...names), splits)).toHaveLength(8);
});

test('nor does one over splits that say very much', () => {
  const matches = Array.from({ length: 20 }, (_, index) => match({ headers: [{ name: `h${index}` }] }));
  const much = terms({ matches, nextCookie: cookie('new'), stableCookie: cookie('old') });
  // The first two come to 23 × 23; with the third there would be 12,167.
  expect(parts(to('a', 'b', 'c'), { a: much, b: much, c: much })).toHaveLength(529);
});
