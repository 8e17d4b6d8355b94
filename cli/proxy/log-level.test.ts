import { expect, test } from '@jest/globals';
import { parseLevels, readLevel } from './log-level.ts';

test('levels are read as Envoy lists them', () => {
  const text = 'active loggers:\n  admin: warning\n  http: debug\n  ext_authz: off\n\n';
  expect(Object.fromEntries(parseLevels(text))).toEqual({ admin: 'warning', http: 'debug', ext_authz: 'off' });
});

test.each([
  ['debug', { level: 'debug' }],
  ['warn', { level: 'warning' }],
  ['http:TRACE', { logger: 'http', level: 'trace' }],
])('%s is read', (text, level) => {
  expect(readLevel(text)).toEqual(level);
});

test('what is no level is refused with those there are', () => {
  expect(() => readLevel('http:loud')).toThrow(expect.objectContaining({ message: 'loud is no level', code: 2 }));
});
