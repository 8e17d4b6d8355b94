import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';
import { judgeDestinationRule } from './destination-rule.ts';

const policy = (trafficPolicy: object): object => ({ host: 'reviews', trafficPolicy });
const balanced = (loadBalancer: object): object => policy({ loadBalancer });
const hashed = (consistentHash: object): object => balanced({ consistentHash });
const secured = (tls: object): object => policy({ tls });

/** Specs as people bring them: the shapes of Istio's documentation. */
const GOOD: [name: string, yaml: string][] = [
  [
    'subsets',
    `
host: reviews
trafficPolicy: { loadBalancer: { simple: RANDOM } }
subsets:
- { name: v1, labels: { version: v1 } }
- { name: v2, labels: { version: v2, shop.example/tier: '' }, trafficPolicy: { loadBalancer: { simple: ROUND_ROBIN } } }
exportTo: ['.']`,
  ],
  [
    'circuit breaking',
    `
host: httpbin
trafficPolicy:
  connectionPool:
    tcp: { maxConnections: 1, connectTimeout: 30ms, idleTimeout: 0s, tcpKeepalive: { time: 7200s, interval: 75s, probes: 3 } }
    http: { http1MaxPendingRequests: 1, http2MaxRequests: 1000, maxRequestsPerConnection: 1, maxConcurrentStreams: 100 }
  outlierDetection: { consecutive5xxErrors: 1, interval: 1s, baseEjectionTime: 3m, maxEjectionPercent: 100, minHealthPercent: 0 }`,
  ],
  [
    'locality failover',
    `
host: helloworld.sample.svc.cluster.local
trafficPolicy:
  connectionPool: { http: { maxRequestsPerConnection: 1 } }
  loadBalancer:
    simple: ROUND_ROBIN
    localityLbSetting: { enabled: true, failover: [{ from: region1, to: region2 }] }
    warmup: { duration: 300s, minimumPercent: 5.5, aggression: 1.5 }
  outlierDetection: { consecutive5xxErrors: 1, interval: 1s, baseEjectionTime: 1m }`,
  ],
  [
    'shares by locality',
    `
host: helloworld
trafficPolicy:
  loadBalancer:
    localityLbSetting:
      distribute:
      - { from: region1/zone1/*, to: { region1/zone1/*: 70, region1/zone2/*: 20, 'region3/*': 10 } }
      - { from: region2/*, to: { '*': 100 } }`,
  ],
  [
    'consistent hashing and ports',
    `
host: '*.prod.svc.cluster.local'
trafficPolicy:
  portLevelSettings:
  - port: { number: 80 }
    loadBalancer: { consistentHash: { httpCookie: { name: user, ttl: 0s }, ringHash: { minimumRingSize: 1024 } } }
  - port: { number: 9080 }
    loadBalancer: { consistentHash: { useSourceIp: true, maglev: { tableSize: 65537 } } }
  retryBudget: { percent: 12.5, minRetryConcurrency: 5 }
  proxyProtocol: { version: V2 }`,
  ],
  [
    'TLS of each kind',
    `
host: mydb
workloadSelector: { matchLabels: { app: a } }
trafficPolicy: { tls: { mode: MUTUAL, clientCertificate: /c, privateKey: /k, caCertificates: /ca, caCrl: /crl, sni: db, subjectAltNames: [db] } }
subsets:
- { name: a, trafficPolicy: { tls: { mode: MUTUAL, credentialName: client } } }
- { name: b, trafficPolicy: { tls: { mode: SIMPLE, insecureSkipVerify: true } } }
- { name: c, trafficPolicy: { tls: { mode: ISTIO_MUTUAL, sni: c, subjectAltNames: [spiffe://a/ns/b/sa/c] } } }
- { name: d, trafficPolicy: { tls: { mode: DISABLE } } }`,
  ],
  [
    'fields that are null',
    `
host: reviews
trafficPolicy: { outlierDetection: { consecutive5xxErrors: null }, loadBalancer: { localityLbSetting: { enabled: null } } }
subsets: null`,
  ],
];

describe('A DestinationRule', () => {
  test.each(GOOD)('with %s is taken', (_, yaml) => {
    expect(judgeDestinationRule(parse(yaml))).toMatchObject({ errors: [], warnings: [] });
  });

  const TP = 'spec.trafficPolicy';
  const LB = `${TP}.loadBalancer`;
  test.each<[name: string, spec: unknown, field: string, message: string]>([
    ['an empty policy', policy({}), TP, 'no effect'],
    ['LEAST_CONN', balanced({ simple: 'LEAST_CONN' }), `${LB}.simple`, 'LEAST_REQUEST'],
    ['nothing to hash by', hashed({}), `${LB}.consistentHash`, 'at random'],
    [
      'the old size of a ring',
      hashed({ useSourceIp: true, minimumRingSize: 1 }),
      `${LB}.consistentHash.minimumRingSize`,
      'deprecated',
    ],
    ['the old warm-up', balanced({ warmupDurationSecs: '10s' }), `${LB}.warmupDurationSecs`, 'warmup.duration'],
    [
      'a warm-up that RANDOM ignores',
      balanced({ simple: 'RANDOM', warmup: { duration: '1s' } }),
      `${LB}.warmup`,
      'ROUND_ROBIN',
    ],
    [
      'failover that never happens',
      balanced({ localityLbSetting: { failover: [{ from: 'a', to: 'b' }] } }),
      `${LB}.localityLbSetting`,
      'outlierDetection',
    ],
    [
      'a limit of 0',
      policy({ connectionPool: { tcp: { maxConnections: 0 } } }),
      `${TP}.connectionPool.tcp.maxConnections`,
      'sets no limit',
    ],
    [
      'the old count of errors',
      policy({ outlierDetection: { consecutiveErrors: 5 } }),
      `${TP}.outlierDetection.consecutiveErrors`,
      'deprecated',
    ],
    [
      'a Secret that ISTIO_MUTUAL ignores',
      secured({ mode: 'ISTIO_MUTUAL', credentialName: 'a' }),
      `${TP}.tls.credentialName`,
      'no effect with mode ISTIO_MUTUAL',
    ],
    [
      'a certificate that SIMPLE ignores',
      secured({ mode: 'SIMPLE', clientCertificate: '/c' }),
      `${TP}.tls.clientCertificate`,
      'write mode MUTUAL',
    ],
    [
      'retries limited twice',
      policy({ retryBudget: {}, connectionPool: { http: { maxRetries: 1 } } }),
      `${TP}.connectionPool.http.maxRetries`,
      'retryBudget',
    ],
    [
      'a port twice',
      policy({ portLevelSettings: [1, 1].map((number) => ({ port: { number }, tls: { mode: 'DISABLE' } })) }),
      `${TP}.portLevelSettings[1].port.number`,
      'again',
    ],
    [
      'an upgrade to HTTP/2 between sidecars',
      { host: 'a', trafficPolicy: { connectionPool: { http: { h2UpgradePolicy: 'UPGRADE' } } } },
      'spec.trafficPolicy.connectionPool.http.h2UpgradePolicy',
      'in the version of HTTP that the client speaks',
    ],
    [
      'a tunnel',
      { host: 'a', subsets: [{ name: 'v', trafficPolicy: { tunnel: { targetHost: 'a', targetPort: 1 } } }] },
      'spec.subsets[0].trafficPolicy.tunnel',
      'not in force',
    ],
  ])('with %s is taken with a warning', (_, spec, field, message) => {
    const { errors, warnings } = judgeDestinationRule(spec);
    expect(errors).toEqual([]);
    expect(warnings).toContainEqual({ field, message: expect.stringContaining(message) });
  });

  test('is read without the fields that are null, and not at all in another shape', () => {
    expect(judgeDestinationRule({ host: 'a', subsets: null }).spec).toEqual({ host: 'a' });
    expect(judgeDestinationRule([]).spec).toBeUndefined();
  });

  test('of any shape is judged and never throws', () => {
    const near = fc.letrec((tie) => ({
      value: fc.oneof({ depthSize: 'small' }, fc.jsonValue(), fc.array(tie('value'), { maxLength: 3 }), tie('object')),
      object: fc.dictionary(
        fc.constantFrom(
          'trafficPolicy',
          'subsets',
          'labels',
          'loadBalancer',
          'localityLbSetting',
          'distribute',
          'to',
          'tls',
          '__proto__',
          'constructor',
        ),
        tie('value'),
      ),
    }));
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), near.object), (spec) => {
        const withoutHost = typeof spec === 'object' && spec !== null && 'host' in spec ? {} : spec;
        expect(judgeDestinationRule(withoutHost).errors.length).toBeGreaterThan(0);
      }),
      { numRuns: 100 },
    );
  });
});
