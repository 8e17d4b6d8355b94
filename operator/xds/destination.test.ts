import { describe, expect, test } from '@jest/globals';
import type { Endpoint, MeshService } from '../mesh/snapshot.ts';
import { acceptsMeshTls, buildDestination, type Destination, expectedPeers } from './destination.ts';
import { endpoint, port, service } from './testing/mesh-fixture.ts';

const HTTP = port(80, 'http', 'http');
const BASE = 'outbound|80||ordering.shop.svc.cluster.local';
const PODS: readonly Endpoint[] = [
  endpoint('10.0.0.1', { http: 8080 }, { revision: 'r1' }),
  endpoint('10.0.0.2', { http: 8080 }, { revision: 'r1' }),
  endpoint('10.0.0.3', { http: 8080 }, { revision: 'r2', gated: true }),
];

type SplitPart = Partial<NonNullable<MeshService['split']>>;

function destination(split: SplitPart | undefined, endpoints = PODS): Destination {
  const canary = { kind: 'Canary', namespace: 'shop', name: 'ordering' };
  const whole = split && { canary, stable: 'r1', weight: 0, ...split };
  return buildDestination(service('ordering.shop', [HTTP], whole && { split: whole }), HTTP, endpoints);
}

function members({ pools }: Destination): Record<string, string[]> {
  return Object.fromEntries(
    pools.map(({ cluster, endpoints }) => [cluster.replace(BASE, ''), endpoints.map(({ address }) => address)]),
  );
}

function shares(result: Destination): Record<string, number> {
  return Object.fromEntries(result.shares.map(({ cluster, weight }) => [cluster.replace(BASE, ''), weight]));
}

describe('buildDestination', () => {
  test('without a split has one cluster, without the pods our gate holds back', () => {
    expect(members(destination(undefined))).toEqual({ '': ['10.0.0.1', '10.0.0.2'] });
    expect(shares(destination(undefined))).toEqual({ '': 100 });
  });

  test('with a split and nothing being released sends everything to the stable cluster', () => {
    expect(members(destination({}))).toEqual({ '': ['10.0.0.1', '10.0.0.2'], '|r1': ['10.0.0.1', '10.0.0.2'] });
    expect(shares(destination({}))).toEqual({ '|r1': 100 });
  });

  test('while releasing, gated pods are in the cluster of the next revision only', () => {
    expect(members(destination({ next: 'r2', weight: 5 }))).toEqual({
      '': ['10.0.0.1', '10.0.0.2'],
      '|r1': ['10.0.0.1', '10.0.0.2'],
      '|r2': ['10.0.0.3'],
    });
  });

  test('pods of other workloads behind the same Service stay on the stable side', () => {
    const other = endpoint('10.0.0.9', { http: 8080 }, { revision: 'x' });
    expect(members(destination({ next: 'r2' }, [...PODS, other]))['|r1']).toContain('10.0.0.9');
  });

  test('pods of the next revision that came without a gate are not on the stable side', () => {
    const ungated = PODS.map((pod) => ({ ...pod, gated: false }));
    const result = members(destination({ next: 'r2' }, ungated));
    expect(result).toMatchObject({ '|r1': ['10.0.0.1', '10.0.0.2'], '|r2': ['10.0.0.3'] });
  });

  test('pods of the stable revision serve before their gates are open', () => {
    expect(members(destination({ stable: 'r2' }))['|r2']).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3']);
  });

  test.each<[string, number, Record<string, number>]>([
    ['0 %', 0, { '|r1': 100 }],
    ['5 %', 5, { '|r1': 95, '|r2': 5 }],
    ['100 %', 100, { '|r2': 100 }],
    ['less than nothing', -3, { '|r1': 100 }],
    ['more than everything', 130, { '|r2': 100 }],
  ])('shares by weight: %s', (_, weight, expected) => {
    expect(shares(destination({ next: 'r2', weight }))).toEqual(expected);
  });

  test('a next revision without a pod that serves the port gets no share', () => {
    const elsewhere = endpoint('10.0.0.3', { other: 1 }, { revision: 'r2', gated: true });
    expect(shares(destination({ next: 'r2', weight: 50 }, PODS.slice(0, 2)))).toEqual({ '|r1': 100 });
    expect(shares(destination({ next: 'r2', weight: 50 }, [...PODS.slice(0, 2), elsewhere]))).toEqual({ '|r1': 100 });
  });

  test('a next revision that is the stable one is no release', () => {
    expect(shares(destination({ next: 'r1', weight: 50 }))).toEqual({ '|r1': 100 });
  });
});

test('an endpoint takes mesh TLS unless its pod is outside the mesh or its port is disabled', () => {
  expect(acceptsMeshTls(endpoint('10.0.0.1', {}), 80)).toBe(true);
  expect(acceptsMeshTls(endpoint('10.0.0.1', {}, { mtls: false }), 80)).toBe(false);
  expect(acceptsMeshTls(endpoint('10.0.0.1', {}, { plaintextPorts: [80] }), 80)).toBe(false);
  expect(acceptsMeshTls(endpoint('10.0.0.1', {}, { plaintextPorts: [81] }), 80)).toBe(true);
});

test('expected peers are each SPIFFE ID once, in order, of endpoints that speak mTLS', () => {
  const [a, b] = ['spiffe://cluster.local/ns/shop/sa/a', 'spiffe://cluster.local/ns/shop/sa/b'];
  const of = (spiffeId: string, mtls = true): Endpoint => endpoint('10.0.0.1', {}, { spiffeId, mtls });
  expect(expectedPeers([of(b), of(a), of(b), of('spiffe://cluster.local/ns/shop/sa/c', false)])).toEqual([a, b]);
});
