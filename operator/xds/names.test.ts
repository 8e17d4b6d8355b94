import { expect, test } from '@jest/globals';
import { meshServerName } from './names.ts';

test('the server name of the longest host is one that Envoy takes, and still tells port and revision', () => {
  const longest = `${'x'.repeat(63)}.${'y'.repeat(63)}.${'z'.repeat(63)}.${'w'.repeat(61)}`;
  const name = meshServerName(5432, longest, 'v1');
  expect(name).toHaveLength(255);
  expect(name.startsWith('outbound_.5432_.v1_.xxx')).toBe(true);
});
