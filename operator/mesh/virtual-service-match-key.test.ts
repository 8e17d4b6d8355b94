import { describe, expect, test } from '@jest/globals';
import type { HttpMatch as HttpMatchSpec } from '../../api/http-match.ts';
import { readHttpMatch, readTcpMatch, readTlsMatch } from './virtual-service-match.ts';
import { CATCH_ALL, httpMatchKeys, isCatchAll, tcpMatchKeys, tlsMatchKeys } from './virtual-service-match-key.ts';

const key = (match: HttpMatchSpec) => httpMatchKeys([readHttpMatch(match)])[0];

describe('keys of matches', () => {
  test.each<[string, HttpMatchSpec, HttpMatchSpec]>([
    ['the order of headers', { headers: { a: {}, b: { exact: '1' } } }, { headers: { b: { exact: '1' }, a: {} } }],
    ['names of the match', { name: 'x', port: 80 }, { port: 80 }],
    ['the order of labels', { sourceLabels: { a: '1', b: '2' } }, { sourceLabels: { b: '2', a: '1' } }],
    ['a path that begins with a slash', { uri: { prefix: '/' }, port: 80 }, { port: 80 }],
  ])('are the same whatever %s', (_, a, b) => {
    expect(key(a)).toBe(key(b));
  });

  const different: HttpMatchSpec[] = [
    {},
    { uri: { exact: '/a' } },
    { uri: { prefix: '/a' } },
    { uri: { prefix: '/a' }, ignoreUriCase: true },
    { scheme: { exact: 'a' } },
    { method: { exact: 'a' } },
    { authority: { exact: 'a' } },
    { headers: { a: {} } },
    { headers: { a: { exact: '' } } },
    { withoutHeaders: { a: {} } },
    { queryParams: { a: {} } },
    { port: 80 },
    { sourceNamespace: 'a' },
    { sourceLabels: { a: '' } },
  ];

  test('differ with any condition', () => {
    expect(new Set(different.map(key)).size).toBe(different.length);
  });

  test('only a match without conditions takes everything', () => {
    expect(different.map(readHttpMatch).filter(isCatchAll)).toEqual([readHttpMatch({})]);
    expect(httpMatchKeys([])).toEqual([CATCH_ALL]);
    expect(tcpMatchKeys([])).toEqual([CATCH_ALL]);
    expect(tcpMatchKeys([readTcpMatch({}), readTcpMatch({ port: 80 })])).toEqual([
      CATCH_ALL,
      expect.not.stringMatching(/^$/),
    ]);
  });

  test('there is one for each name in a handshake', () => {
    const keys = tlsMatchKeys([readTlsMatch({ sniHosts: ['a', 'b'] }), readTlsMatch({ sniHosts: ['a'], port: 443 })]);
    expect(new Set(keys).size).toBe(3);
  });
});
