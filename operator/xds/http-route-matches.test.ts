import { expect, test } from '@jest/globals';
import type { HttpMatch } from '../mesh/route-rule.ts';
import { buildHttpRoutes } from './http-routes.ts';
import { CONTEXT, match, routeJson, rule } from './testing/http-rule-fixture.ts';

const exact = (value: string) => ({ kind: 'exact', value }) as const;
const prefix = (value: string) => ({ kind: 'prefix', value }) as const;
const regex = (value: string) => ({ kind: 'regex', value }) as const;

test.each<[string, Partial<HttpMatch>, object]>([
  ['nothing in particular', {}, { prefix: '/' }],
  ['a whole path', { uri: exact('/pay') }, { path: '/pay' }],
  ['a prefix, as text', { uri: prefix('/pay') }, { prefix: '/pay' }],
  ['an expression over the path', { uri: regex('/v[12]/.*') }, { safe_regex: { regex: '/v[12]/.*' } }],
  ['a path in either case', { uri: exact('/pay'), ignoreUriCase: true }, { path: '/pay', case_sensitive: false }],
  [
    'method, authority and scheme',
    { method: exact('GET'), authority: prefix('shop.'), scheme: regex('https?') },
    {
      prefix: '/',
      headers: [
        { name: ':method', string_match: { exact: 'GET' } },
        { name: ':authority', string_match: { prefix: 'shop.' } },
        { name: ':scheme', string_match: { safe_regex: { regex: 'https?' } } },
      ],
    },
  ],
  [
    'headers, in the order given',
    {
      headers: [
        { name: 'x-b', value: exact('1') },
        { name: 'x-a', value: prefix('1') },
        { name: ':path', value: regex('.*') },
        { name: 'x-there' },
        { name: 'x-star', value: regex('*') },
      ],
    },
    {
      prefix: '/',
      headers: [
        { name: 'x-b', string_match: { exact: '1' } },
        { name: 'x-a', string_match: { prefix: '1' } },
        { name: ':path', string_match: { safe_regex: { regex: '.*' } } },
        { name: 'x-there', present_match: true },
        { name: 'x-star', present_match: true },
      ],
    },
  ],
  [
    'headers that must not be so',
    {
      withoutHeaders: [{ name: 'x-a', value: exact('1') }, { name: 'x-there' }, { name: 'x-star', value: regex('*') }],
    },
    {
      prefix: '/',
      headers: [
        { name: 'x-a', string_match: { exact: '1' }, invert_match: true, treat_missing_header_as_empty: true },
        { name: 'x-there', present_match: true, invert_match: true },
        { name: 'x-star', present_match: true, invert_match: true },
      ],
    },
  ],
  [
    'query parameters',
    {
      queryParams: [
        { name: 'a', value: exact('1') },
        { name: 'b', value: prefix('1') },
        { name: 'c', value: regex('[0-9]+') },
        { name: 'd' },
        { name: 'e', value: regex('*') },
      ],
    },
    {
      prefix: '/',
      query_parameters: [
        { name: 'a', string_match: { exact: '1' } },
        { name: 'b', string_match: { prefix: '1' } },
        { name: 'c', string_match: { safe_regex: { regex: '[0-9]+' } } },
        { name: 'd', present_match: true },
        { name: 'e', present_match: true },
      ],
    },
  ],
  [
    'whoever calls, on whatever port: that was decided before',
    { port: 80, source: { labels: { app: 'ui' }, namespace: 'shop' } },
    { prefix: '/' },
  ],
])('matches %s', (_, more, expected) => {
  const [route] = buildHttpRoutes([rule({ matches: [match(more)] })], CONTEXT).map(routeJson);
  expect(route).toHaveProperty('match', expected);
});
