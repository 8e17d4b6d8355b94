import { describe, expect, test } from '@jest/globals';
import type { HttpMatch as HttpMatchSpec } from '../../api/http-match.ts';
import { readHttpMatch, readMatches, readTcpMatch, readTlsMatch } from './virtual-service-match.ts';

const NONE = { ignoreUriCase: false, headers: [], withoutHeaders: [], queryParams: [] };

describe('a match of an HTTP rule', () => {
  test.each<[string, HttpMatchSpec, object]>([
    ['nothing', {}, {}],
    ['a path', { uri: { exact: '/a' } }, { uri: { kind: 'exact', value: '/a' } }],
    [
      'a path in any case',
      { uri: { prefix: '/a' }, ignoreUriCase: true },
      { uri: { kind: 'prefix', value: '/a' }, ignoreUriCase: true },
    ],
    [
      'scheme, method and host',
      { scheme: { exact: 'http' }, method: { regex: 'GET|PUT' }, authority: { prefix: 'a.' } },
      {
        scheme: { kind: 'exact', value: 'http' },
        method: { kind: 'regex', value: 'GET|PUT' },
        authority: { kind: 'prefix', value: 'a.' },
      },
    ],
    [
      'headers, whose names have no case',
      { headers: { 'X-A': { exact: '1' }, constructor: {} } },
      { headers: [{ name: 'x-a', value: { kind: 'exact', value: '1' } }, { name: 'constructor' }] },
    ],
    ['headers that must not be there', { withoutHeaders: { 'x-a': {} } }, { withoutHeaders: [{ name: 'x-a' }] }],
    [
      'query parameters, whose names have case',
      { queryParams: { Q: { exact: '' } } },
      { queryParams: [{ name: 'Q', value: { kind: 'exact', value: '' } }] },
    ],
    ['a port', { port: 80 }, { port: 80 }],
    ['labels of the caller', { sourceLabels: { app: 'a' } }, { source: { labels: { app: 'a' } } }],
    ['the namespace of the caller', { sourceNamespace: 'shop' }, { source: { labels: {}, namespace: 'shop' } }],
    ['what names it only', { name: 'n', statPrefix: 's', sourceLabels: {}, sourceNamespace: '' }, {}],
  ])('reads %s', (_, spec, match) => {
    expect(readHttpMatch(spec)).toEqual({ ...NONE, ...match });
  });
});

describe('matches of connections', () => {
  test('have addresses, a port and a caller', () => {
    const spec = { destinationSubnets: ['10.0.0.0/8'], port: 80, sourceNamespace: 'shop', sourceLabels: { a: 'b' } };
    const source = { labels: { a: 'b' }, namespace: 'shop' };
    expect(readTcpMatch(spec)).toEqual({ subnets: ['10.0.0.0/8'], port: 80, source });
    expect(readTcpMatch({})).toEqual({ subnets: [] });
  });

  test('have names in the handshake without case', () => {
    expect(readTlsMatch({ sniHosts: ['A.example.', '*.b.example'] })).toEqual({
      subnets: [],
      sniHosts: ['a.example', '*.b.example'],
    });
  });
});

describe('matches of a rule', () => {
  const read = (...gateways: (string[] | undefined)[]) =>
    readMatches(
      gateways.map((list) => (list === undefined ? {} : { gateways: list })),
      ({ gateways: list }) => list?.join(),
    );

  test.each<[string, (string[] | undefined)[], unknown]>([
    ['without any the rule takes everything', [], []],
    ['without gateways they are for sidecars', [undefined], [undefined]],
    ['those that name mesh are too', [['edge', 'mesh']], ['edge,mesh']],
    ['those for gateways are left out', [['edge'], ['mesh']], ['mesh']],
    ['when all are left out, so is the rule', [['edge'], ['other/edge']], undefined],
  ])('%s', (_, gateways, kept) => {
    expect(read(...gateways)).toEqual(kept);
  });
});
