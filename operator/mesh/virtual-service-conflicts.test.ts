import { describe, expect, test } from '@jest/globals';
import type { VirtualServiceSpec } from '../../api/virtual-service.ts';
import { A, buildRoutes, to, toA, told, YOUNG } from './testing/virtual-services.ts';

describe('several VirtualServices for one host', () => {
  const matching = (text: string) => ({ match: [{ uri: { prefix: text } }], ...to('a') });

  test('with different matches are not in conflict', () => {
    const snapshot = buildRoutes([
      ['shop/v', { hosts: ['a'], http: [matching('/x'), to('a')] }],
      ['shop/w', { hosts: ['a'], http: [matching('/y')] }, YOUNG],
    ]);
    expect([...told(snapshot, 'shop/v'), ...told(snapshot, 'shop/w')]).toEqual([]);
  });

  test.each<[string, VirtualServiceSpec, VirtualServiceSpec, string]>([
    ['a match', { http: [matching('/x')] }, { http: [matching('/y'), matching('/x')] }, 'spec.http[1]: '],
    [
      'everything',
      { http: [to('a')] },
      { http: [{ match: [{ uri: { prefix: '/' } }], ...to('a') }] },
      'spec.http[0]: ',
    ],
    ['connections', { tcp: [to('a')] }, { http: [to('a')], tcp: [to('a')] }, 'spec.tcp[0]: '],
    [
      'several matches',
      { http: ['/1', '/2', '/3', '/4', '/5'].map(matching) },
      { http: ['/1', '/2', '/3', '/4', '/5'].map(matching) },
      'spec.http[0], spec.http[1], spec.http[2] and 2 more: ',
    ],
  ])('the younger is told who has it already: %s', (_, older, younger, field) => {
    const snapshot = buildRoutes([
      ['shop/w', { hosts: ['a', 'w'], ...younger }, YOUNG],
      ['shop/v', { hosts: ['a'], ...older }],
    ]);
    expect(told(snapshot, 'shop/v')).toEqual([]);
    const [[reason, message] = [], ...more] = told(snapshot, 'shop/w');
    expect(more).toEqual([]);
    expect(reason).toBe('OlderVirtualService');
    expect(message).toContain(`${field}VirtualService shop/v is older and has a rule for the same requests to ${A};`);
    expect(snapshot.policies.get('VirtualService/shop/w')?.problems[0]?.condition).toBe('Conflicted');
  });

  test('that no client sees together are not in conflict', () => {
    const snapshot = buildRoutes([
      ['other/v', { hosts: [A], exportTo: ['.'], http: [to(A)] }],
      ['shop/v', { ...toA, exportTo: ['.'] }, YOUNG],
    ]);
    expect([...told(snapshot, 'shop/v'), ...told(snapshot, 'other/v')]).toEqual([]);
  });

  test.each<[string, string[], string[]]>([
    ['the older is for all and the younger for some', ['*'], ['.']],
    ['the older is for some and the younger for all', ['.'], ['*']],
    ['both are for some, and one namespace is among both', ['.'], ['shop', 'other']],
  ])('are in conflict where %s', (_, older, younger) => {
    const snapshot = buildRoutes([
      ['other/v', { hosts: [A], exportTo: older, http: [to(A)] }],
      ['shop/v', { ...toA, exportTo: younger }, YOUNG],
    ]);
    expect(told(snapshot, 'shop/v')).toEqual([['OlderVirtualService', expect.stringContaining('other/v')]]);
  });

  test('one that is not valid takes nothing from another', () => {
    const snapshot = buildRoutes([
      ['shop/v', { hosts: ['a'], http: [{ ...to('a'), timeout: 'x' }] }],
      ['shop/w', toA, YOUNG],
    ]);
    expect(told(snapshot, 'shop/w')).toEqual([]);
  });

  test('rules of a delegate count as those of its root', () => {
    const snapshot = buildRoutes([
      ['shop/v', { hosts: ['a'], http: [{ delegate: { name: 'd' } }] }],
      ['shop/d', { http: [matching('/x')] }],
      ['shop/w', { hosts: ['a'], http: [matching('/x')] }, YOUNG],
    ]);
    expect(told(snapshot, 'shop/w')).toEqual([['OlderVirtualService', expect.stringContaining('shop/v')]]);
  });

  test('of three the youngest hears of the oldest, and that there is more', () => {
    const snapshot = buildRoutes([
      ['shop/w', { ...toA, hosts: ['b', 'a'] }, YOUNG],
      ['shop/x', { ...toA, hosts: ['a', 'b'] }, YOUNG],
      ['shop/v', toA],
    ]);
    const [[, message] = []] = told(snapshot, 'shop/x');
    expect(message).toContain('VirtualService shop/v is older');
    expect(message).toMatch(/ In 1 more place an older one is in the way\.$/);
  });
});
