import { describe, expect, test } from '@jest/globals';
import type { VirtualServiceSpec } from '../../api/virtual-service.ts';
import { A, buildRoutes, type Given, to, toA, told } from './testing/virtual-services.ts';

describe('delegates', () => {
  const root = (delegate: { name: string; namespace?: string }, exportTo = ['*']): VirtualServiceSpec => ({
    ...{ hosts: ['a'], exportTo },
    http: [
      { name: 'r', match: [{ uri: { prefix: '/d' } }], delegate, timeout: '5s', retries: { attempts: 1 } },
      to('a'),
    ],
  });

  test('take the place of the rule that delegates, and its settings where they have none', () => {
    const http = [
      { name: 'x', match: [{ uri: { prefix: '/d/x' } }], timeout: '1s', ...to('a') },
      { match: [{ port: 80 }], retries: { attempts: 0 }, ...to('a') },
    ];
    const snapshot = buildRoutes([
      ['shop/v', root({ name: 'd', namespace: 'other' })],
      ['other/d', { http }],
    ]);
    expect(snapshot.routeRules.size).toBe(1);
    expect(snapshot.routeRules.get('VirtualService/shop/v')?.http).toMatchObject([
      { name: 'r-x', matches: [{ uri: { value: '/d/x' } }], timeoutMs: 1000, retries: { attempts: 1 } },
      { name: 'r', matches: [{ uri: { value: '/d' }, port: 80 }], timeoutMs: 5000, retries: { attempts: 0 } },
      { name: '', matches: [] },
    ]);
    expect(told(snapshot, 'shop/v')).toEqual([]);
  });

  test('resolve short names in their own namespace, and hear of what they miss themselves', () => {
    const snapshot = buildRoutes([
      ['shop/v', root({ name: 'd', namespace: 'other' })],
      ['other/d', { http: [to('a')] }],
    ]);
    const [rule] = snapshot.routeRules.get('VirtualService/shop/v')?.http ?? [];
    expect(rule?.action).toEqual({ kind: 'forward', backends: [{ hostname: 'a.other.svc.cluster.local', weight: 1 }] });
    expect(told(snapshot, 'shop/v')).toEqual([]);
    expect(told(snapshot, 'other/d')).toEqual([['DestinationNotFound', expect.any(String)]]);
  });

  test('say who uses them, and reach the clients of these', () => {
    const snapshot = buildRoutes([
      ['shop/v', root({ name: 'd' }, ['.'])],
      ['other/v', root({ name: 'd', namespace: 'shop' }, ['.'])],
      ['shop/d', { http: [to('a')] }],
      ['shop/unused', { http: [to('a')] }],
    ]);
    expect(snapshot.policies.get('VirtualService/shop/d')).toMatchObject({
      reach: { kind: 'clients', visibility: ['other', 'shop'] },
      notes: ['Its rules are part of other/v, shop/v.'],
    });
    expect(snapshot.policies.get('VirtualService/shop/unused')?.notes).toEqual([
      'It has no hosts, and no VirtualService delegates to it: it has no effect.',
    ]);
  });

  test.each<[string, { name: string; namespace?: string }, Given[], string]>([
    ['one that is not there', { name: 'd' }, [], 'there is no VirtualService shop/d'],
    ['the VirtualService itself', { name: 'v' }, [], 'must not name the VirtualService itself'],
    ['one with hosts', { name: 'd' }, [['shop/d', { ...toA, hosts: ['z'] }]], 'shop/d has hosts; a delegate has none'],
    [
      'a cycle',
      { name: 'd' },
      [['shop/d', { hosts: ['z'], http: [{ delegate: { name: 'v' } }] }]],
      'shop/d has hosts and delegates back to this one',
    ],
    [
      'one that delegates further',
      { name: 'd' },
      [['shop/d', { http: [{ delegate: { name: 'v' } }] }]],
      'shop/d is not valid',
    ],
    [
      'one that is not exported here',
      { name: 'd', namespace: 'other' },
      [['other/d', { exportTo: ['.'], http: [to('a')] }]],
      'other/d is not exported to namespace shop',
    ],
    [
      'one that contradicts the rule altogether',
      { name: 'd' },
      [['shop/d', { http: [{ match: [{ uri: { prefix: '/x' } }], ...to('a') }] }]],
      'spec.http[0] in VirtualService shop/d; it is ignored',
    ],
  ])('that can not be used answer 503 for their rule alone: %s', (_, delegate, others, message) => {
    const snapshot = buildRoutes([['shop/v', root(delegate)], ...others]);
    expect(told(snapshot, 'shop/v')).toEqual([['DelegateInvalid', expect.stringContaining(message)]]);
    expect(told(snapshot, 'shop/v')[0]?.[1]).toMatch(/^spec\.http\[0\]\.delegate: .* answered 503\.$/);
    expect(snapshot.routeRules.get('VirtualService/shop/v')?.http).toMatchObject([
      { matches: [{ uri: { value: '/d' } }], action: { kind: 'respond', status: 503 } },
      { matches: [], action: { kind: 'forward' } },
    ]);
  });

  test('of which one rule contradicts lose only that', () => {
    const http = [{ match: [{ uri: { prefix: '/x' } }], ...to('a') }, to('a')];
    const snapshot = buildRoutes([
      ['shop/v', root({ name: 'd' })],
      ['shop/d', { http }],
    ]);
    expect(told(snapshot, 'shop/v')).toEqual([['DelegateInvalid', expect.stringContaining('spec.http[0] in')]]);
    expect(snapshot.routeRules.get('VirtualService/shop/v')?.http).toMatchObject([
      { matches: [{ uri: { value: '/d' } }], action: { kind: 'forward' } },
      { matches: [] },
    ]);
  });

  test('have mirrors of their own or those of the rule', () => {
    const http = [
      { ...to('a'), match: [{ port: 80 }] },
      { ...to('a'), mirror: { host: 'a' } },
    ];
    const mirrors = [{ destination: { host: 'm' } }];
    const snapshot = buildRoutes([
      ['shop/v', { hosts: ['a'], http: [{ delegate: { name: 'd' }, mirrors }] }],
      ['shop/d', { http }],
    ]);
    expect(snapshot.routeRules.get('VirtualService/shop/v')?.http.map((rule) => rule.mirrors)).toEqual([
      [{ hostname: 'm.shop.svc.cluster.local', percent: 100 }],
      [{ hostname: A, percent: 100 }],
    ]);
  });
});
