import { expect, test } from '@jest/globals';
import { changed, href, parseRoute } from './route.ts';

test('an address and what it says are the same, whatever is in the names', () => {
  const path = ['service', 'shop/ordering ü%2F?#&'];
  const query = { ns: 'a&b=c?', sel: 'x#y' };
  expect(parseRoute(href(path, query))).toEqual({ path, query });
  expect(parseRoute('')).toEqual({ path: [], query: {} });
});

test('what can not be read is taken as it stands', () => {
  expect(parseRoute('#/service/%E0%A4%A').path).toEqual(['service', '%E0%A4%A']);
});

test('a change leaves the rest as it was, and what is undefined out', () => {
  const route = parseRoute('#/graph?ns=shop&sel=a');
  expect(changed(route, { sel: undefined, call: 'b' })).toBe('#/graph?ns=shop&call=b');
});
