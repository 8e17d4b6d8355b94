import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isOfRequests, readAttribute } from './authorization-attribute.ts';

describe('attributes of conditions', () => {
  test.each([
    ['request.headers[X-Team]', { kind: 'header', name: 'x-team' }],
    ['request.headers[:authority]', { kind: 'header', name: ':authority' }],
    ['source.ip', { kind: 'source-ip' }],
    ['remote.ip', { kind: 'remote-ip' }],
    ['source.namespace', { kind: 'source-namespace' }],
    ['source.principal', { kind: 'source-principal' }],
    ['source.serviceAccount', { kind: 'source-service-account' }],
    ['source.trustDomain', { kind: 'source-trust-domain' }],
    ['request.auth.principal', { kind: 'request-principal' }],
    ['request.auth.audiences', { kind: 'audiences' }],
    ['request.auth.presenter', { kind: 'presenter' }],
    ['request.auth.claims[iss]', { kind: 'claim', path: ['iss'] }],
    ['request.auth.claims[a][b c]', { kind: 'claim', path: ['a', 'b c'] }],
    ['destination.ip', { kind: 'destination-ip' }],
    ['destination.port', { kind: 'destination-port' }],
    ['connection.sni', { kind: 'sni' }],
    [
      'experimental.envoy.filters.network.mysql_proxy[db.table]',
      { kind: 'metadata', filter: 'envoy.filters.network.mysql_proxy', path: ['db.table'] },
    ],
  ])('%s is read', (key, attribute) => {
    expect(readAttribute(key)).toEqual(attribute);
  });

  test.each([
    '',
    'request.headers',
    'request.headers[]',
    'request.headers[a',
    'request.headers[a][b]',
    'request.headers[a]b',
    'request.headers[a b]',
    'request.headers[a\n]',
    'request.headers[a\0]',
    'request.headers[ä]',
    'request.auth.claims',
    'request.auth.claims[[a]]',
    'request.path',
    'source.IP',
    '__proto__',
    'constructor',
    'experimental.envoy.filters.x',
    'experimental.other[a]',
  ])('%j is none', (key) => {
    expect(readAttribute(key)).toBeUndefined();
  });

  test('only requests have headers and tokens', () => {
    const of = (key: string): boolean | undefined => {
      const attribute = readAttribute(key);
      return attribute && isOfRequests(attribute);
    };
    expect(['request.headers[a]', 'request.auth.principal', 'request.auth.claims[a]'].map(of)).toEqual([
      true,
      true,
      true,
    ]);
    expect(['source.ip', 'source.principal', 'destination.port', 'connection.sni'].map(of)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  test('no key makes it throw', () => {
    const key = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string().map((text) => `request.headers[${text}]`),
    );
    fc.assert(fc.property(key, (text) => void readAttribute(text)));
  });
});
