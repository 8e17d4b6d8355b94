import { describe, expect, test } from '@jest/globals';
import { judgeDestinationRule } from './destination-rule.ts';

const policy = (trafficPolicy: object): object => ({ host: 'reviews', trafficPolicy });
const balanced = (loadBalancer: object): object => policy({ loadBalancer });
const local = (localityLbSetting: object): object =>
  policy({ loadBalancer: { localityLbSetting }, outlierDetection: {} });
const hashed = (consistentHash: object): object => balanced({ consistentHash });
const TP = 'spec.trafficPolicy';
const LB = `${TP}.loadBalancer`;

describe('A DestinationRule', () => {
  test.each<[name: string, spec: unknown, field: string, message?: string]>([
    ['nothing', undefined, 'spec.host', 'is missing'],
    ['a host that is none', { host: 'a/b' }, 'spec.host'],
    ['an unknown balancer', balanced({ simple: 'FASTEST' }), `${LB}.simple`, 'must be one of'],
    ['a subset twice', { host: 'a', subsets: [{ name: 'v1' }, { name: 'v1' }] }, 'spec.subsets[1].name', 'again'],
    ['a subset that is none', { host: 'a', subsets: [{ name: 'v.1' }] }, 'spec.subsets[0].name'],
    [
      'a label that is none',
      { host: 'a', subsets: [{ name: 'v1', labels: { 'a b': '' } }] },
      'spec.subsets[0].labels[a b]',
    ],
    [
      'the label __proto__',
      JSON.parse('{"host":"a","subsets":[{"name":"v","labels":{"__proto__":"x"}}]}'),
      'spec.subsets[0].labels',
    ],
    [
      'a policy of a subset',
      { host: 'a', subsets: [{ name: 'v', trafficPolicy: { outlierDetection: { interval: '0s' } } }] },
      'spec.subsets[0].trafficPolicy.outlierDetection.interval',
    ],
    ['a server name too long', policy({ tls: { mode: 'ISTIO_MUTUAL', sni: 'x'.repeat(256) } }), `${TP}.tls.sni`, '255'],
    ['a server name that is none', policy({ tls: { mode: 'SIMPLE', sni: 'a\u0000' } }), `${TP}.tls.sni`, 'ASCII'],
    ['two balancers', balanced({ simple: 'RANDOM', consistentHash: { useSourceIp: true } }), LB, 'keep one'],
    [
      'two keys to hash by',
      hashed({ useSourceIp: true, httpHeaderName: 'a' }),
      `${LB}.consistentHash`,
      'httpHeaderName and useSourceIp',
    ],
    [
      'two algorithms',
      hashed({ useSourceIp: true, ringHash: {}, maglev: { tableSize: 7 } }),
      `${LB}.consistentHash`,
      'ringHash and maglev',
    ],
    ['a cookie without a name', hashed({ httpCookie: { name: '' } }), `${LB}.consistentHash.httpCookie.name`],
    [
      'a ring too large',
      hashed({ useSourceIp: true, ringHash: { minimumRingSize: 8_388_609 } }),
      `${LB}.consistentHash.ringHash.minimumRingSize`,
    ],
    [
      'a table that is not prime',
      hashed({ useSourceIp: true, maglev: { tableSize: 65_536 } }),
      `${LB}.consistentHash.maglev.tableSize`,
      'prime',
    ],
    [
      'the size of a ring twice',
      hashed({ useSourceIp: true, ringHash: {}, minimumRingSize: 1 }),
      `${LB}.consistentHash.minimumRingSize`,
      'leave it out',
    ],
    ['no time to warm up', balanced({ warmup: {} }), `${LB}.warmup.duration`, 'is missing'],
    [
      'a warm-up from 150 %',
      balanced({ warmup: { duration: '1s', minimumPercent: 150 } }),
      `${LB}.warmup.minimumPercent`,
    ],
    ['a warm-up that slows down', balanced({ warmup: { duration: '1s', aggression: 0.3 } }), `${LB}.warmup.aggression`],
    [
      'distribute and failover',
      local({ distribute: [{ from: 'a', to: { a: 100 } }], failover: [{ from: 'a', to: 'b' }] }),
      `${LB}.localityLbSetting`,
      'keep one',
    ],
    [
      'shares that sum to 90',
      local({ distribute: [{ from: 'a', to: { a: 60, b: 30 } }] }),
      `${LB}.localityLbSetting.distribute[0].to`,
      'sums to 90',
    ],
    [
      'a share of 0',
      local({ distribute: [{ from: 'a', to: { a: 100, b: 0 } }] }),
      `${LB}.localityLbSetting.distribute[0].to[b]`,
    ],
    [
      'localities that overlap',
      local({
        distribute: [
          { from: 'a/*', to: { a: 100 } },
          { from: 'a/b/*', to: { a: 100 } },
        ],
      }),
      `${LB}.localityLbSetting.distribute[1].from`,
      'overlap',
    ],
    [
      'a locality twice',
      local({ distribute: [{ from: 'a', to: { b: 50, 'b/*': 50 } }] }),
      `${LB}.localityLbSetting.distribute[0].to[b/*]`,
      'overlap',
    ],
    [
      'a wildcard in the middle',
      local({ distribute: [{ from: 'a/*/c', to: { a: 100 } }] }),
      `${LB}.localityLbSetting.distribute[0].from`,
      'at the end',
    ],
    ['failover to a zone', local({ failover: [{ from: 'a', to: 'b/c' }] }), `${LB}.localityLbSetting.failover[0].to`],
    ['failover to itself', local({ failover: [{ from: 'a', to: 'a' }] }), `${LB}.localityLbSetting.failover[0]`],
    [
      'failover by region twice',
      local({ failover: [{ from: 'a', to: 'b' }], failoverPriority: ['topology.kubernetes.io/region'] }),
      `${LB}.localityLbSetting.failoverPriority[0]`,
    ],
  ])('with %s is refused at its field', (_, spec, field, message = 'must') => {
    expect(judgeDestinationRule(spec).errors).toContainEqual({ field, message: expect.stringContaining(message) });
  });
});
