import { describe, expect, test } from '@jest/globals';
import type { VirtualServiceSpec } from '../../api/virtual-service.ts';
import { A, buildRoutes, to, toA, told } from './testing/virtual-services.ts';

describe('a VirtualService', () => {
  test('is a rule of the snapshot under its full hosts', () => {
    const snapshot = buildRoutes([
      ['shop/v', { hosts: ['A', 'b.Example.com.'], exportTo: ['.'], http: [to('a')], tcp: [to('a')], tls: [] }],
    ]);
    const backends = [{ hostname: A, weight: 1 }];
    expect(snapshot.routeRules.get('VirtualService/shop/v')).toMatchObject({
      key: 'VirtualService/shop/v',
      hosts: [A, 'b.example.com'],
      visibility: ['shop'],
      http: [{ action: { kind: 'forward', backends } }],
      tls: [],
      tcp: [{ matches: [], backends }],
    });
    expect(snapshot.policies.get('VirtualService/shop/v')).toMatchObject({
      reach: { kind: 'clients', visibility: ['shop'], labels: {} },
      problems: [],
      notes: [],
    });
  });

  test('routes TLS by the names in the handshake', () => {
    const tls = [{ match: [{ sniHosts: ['x.example.com'], port: 443 }], ...to('a') }];
    const rule = buildRoutes([['shop/v', { hosts: ['x.example.com'], tls }]]).routeRules.get('VirtualService/shop/v');
    const backends = [{ hostname: A, weight: 1 }];
    expect(rule?.tls).toEqual([{ matches: [{ sniHosts: ['x.example.com'], port: 443, subnets: [] }], backends }]);
  });

  test('for gateways only has no rule, and says so', () => {
    const snapshot = buildRoutes([['shop/v', { ...toA, gateways: ['edge'] }]]);
    expect(snapshot.routeRules.size).toBe(0);
    const view = snapshot.policies.get('VirtualService/shop/v');
    expect(view?.problems).toEqual([]);
    expect(view?.notes).toEqual([
      expect.stringContaining('spec.gateways[0] is not in force'),
      'It is for gateways only, which Heddle does not serve yet.',
    ]);
  });

  test('for sidecars and gateways leaves out what is for gateways', () => {
    const http = [{ match: [{ gateways: ['edge'] }], ...to('x') }, to('a')];
    const snapshot = buildRoutes([['shop/v', { hosts: ['a'], gateways: ['mesh', 'edge'], http }]]);
    expect(snapshot.routeRules.get('VirtualService/shop/v')?.http).toHaveLength(1);
    expect(told(snapshot, 'shop/v')).toEqual([]);
  });

  test('that can not be right is not in force, and every field is named', () => {
    const http = [{ timeout: '1x', retries: { attempts: -1 }, ...to('a') }];
    const snapshot = buildRoutes([['shop/v', { hosts: ['a'], http }]]);
    expect(snapshot.routeRules.size).toBe(0);
    const [[reason, message] = []] = told(snapshot, 'shop/v');
    expect(reason).toBe('Invalid');
    expect(message).toContain('spec.http[0].timeout');
    expect(message).toContain('spec.http[0].retries.attempts');
  });

  test.each<[string, unknown]>([
    ['no spec', undefined],
    ['null', null],
    ['a number', 7],
    ['a list', []],
    ['lists that are none', { hosts: 'a', http: { 0: {} } }],
    ['null in lists', { hosts: [null], http: [null] }],
    ['the prototype as a key', JSON.parse('{"hosts":["a"],"http":[{"match":[{"headers":{"__proto__":{}}}]}]}')],
  ])('of any shape is a problem and no error: %s', (_, spec) => {
    // What the API server would refuse is what is tried here.
    const snapshot = buildRoutes([['shop/v', spec as VirtualServiceSpec]]);
    expect(told(snapshot, 'shop/v')).toEqual([['Invalid', expect.any(String)]]);
  });

  test('names of the prototype are names as any other', () => {
    const http = [{ match: [{ headers: { constructor: { exact: '1' } } }], ...to('constructor') }];
    const snapshot = buildRoutes([
      ['shop/toString', { hosts: ['valueOf'], http: [...http, { delegate: { name: 'constructor' } }] }],
    ]);
    expect(told(snapshot, 'shop/toString')).toEqual([
      ['DelegateInvalid', expect.stringContaining('no VirtualService shop/constructor')],
      ['DestinationNotFound', expect.stringContaining('constructor.shop.svc.cluster.local')],
    ]);
  });

  test('what takes everything is the last rule, however it is spelled', () => {
    const http = [
      { match: [{ uri: { prefix: '/' } }], ...to('a') },
      { match: [{ port: 80 }], ...to('b') },
    ];
    const rules = buildRoutes([['shop/v', { hosts: ['a'], http }]]).routeRules.get('VirtualService/shop/v')?.http;
    expect(rules).toMatchObject([{ matches: [], action: { backends: [{ hostname: A }] } }]);
  });

  test('elsewhere is in force and has no status', () => {
    const snapshot = buildRoutes([['foreign/v', toA]]);
    expect(snapshot.routeRules.size).toBe(1);
    expect(snapshot.policies.size).toBe(0);
  });
});
