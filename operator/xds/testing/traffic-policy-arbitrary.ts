import fc from 'fast-check';
import type { ConsistentHash, LoadBalancer } from '../../../api/traffic-policy-load-balancer.ts';
import type { LocalityLbSetting } from '../../../api/traffic-policy-locality.ts';
import type { TrafficPolicy } from '../../mesh/destination-policy.ts';

/** Files that policies name. */
export interface PolicyFiles {
  readonly roots: string;
  readonly certificate: string;
  readonly key: string;
}

const count = fc.integer({ min: 0, max: 2_147_483_647 });
const duration = fc.constantFrom('1ms', '0.5s', '1m30s', '2h', '87600000h');
const percent = fc.integer({ min: 0, max: 100 });
const some = <Value>(shape: { [Key in keyof Value]: fc.Arbitrary<Value[Key]> }) =>
  fc.record(shape, { requiredKeys: [] });

const hash = fc
  .tuple(
    fc.oneof(
      fc.constantFrom({ httpHeaderName: 'x-user' }, { useSourceIp: true }, { httpQueryParameterName: 'q' }),
      fc.constant({ httpCookie: { name: 'c', path: '/', ttl: '0s' } }),
    ),
    fc.oneof(
      fc.constantFrom({}, { maglev: { tableSize: 2 } }, { maglev: { tableSize: 65_537 } }),
      fc.constantFrom({ ringHash: {} }, { ringHash: { minimumRingSize: 1000 } }, { minimumRingSize: 4096 }),
    ),
  )
  .map(([key, algorithm]): ConsistentHash => ({ ...key, ...algorithm }));

const localityLbSetting = fc.constantFrom<LocalityLbSetting>(
  { enabled: false },
  { distribute: [{ from: 'r1/*', to: { 'r1/z1/*': 70, r2: 30 } }] },
  { failover: [{ from: 'r1', to: 'r2' }] },
  { failoverPriority: ['version', 'topology.kubernetes.io/zone', 'cell=a'] },
);

const loadBalancer = fc
  .tuple(
    fc.oneof(
      hash.map((consistentHash) => ({ consistentHash })),
      fc
        .constantFrom('UNSPECIFIED', 'LEAST_CONN', 'RANDOM', 'PASSTHROUGH', 'ROUND_ROBIN', 'LEAST_REQUEST')
        .map((simple) => ({ simple }) as const),
    ),
    some({
      localityLbSetting,
      warmup: fc.record(
        { duration, minimumPercent: percent, aggression: fc.double({ min: 1, max: 100, noNaN: true }) },
        { requiredKeys: ['duration'] },
      ),
      warmupDurationSecs: duration,
    }),
  )
  .map(([choice, rest]): LoadBalancer => ({ ...choice, ...rest }));

const connectionPool = some({
  tcp: some({
    maxConnections: count,
    connectTimeout: duration,
    tcpKeepalive: some({ probes: count, time: duration, interval: duration }),
    maxConnectionDuration: duration,
    idleTimeout: fc.oneof(duration, fc.constant('0s')),
  }),
  http: some({
    http1MaxPendingRequests: count,
    http2MaxRequests: count,
    maxRequestsPerConnection: count,
    maxRetries: count,
    idleTimeout: duration,
    h2UpgradePolicy: fc.constantFrom('DEFAULT', 'DO_NOT_UPGRADE', 'UPGRADE'),
    useClientProtocol: fc.boolean(),
    maxConcurrentStreams: count,
  }),
});

const outlierDetection = some({
  consecutive5xxErrors: count,
  consecutiveGatewayErrors: count,
  consecutiveLocalOriginFailures: count,
  splitExternalLocalOriginErrors: fc.boolean(),
  consecutiveErrors: count,
  interval: duration,
  baseEjectionTime: duration,
  maxEjectionPercent: percent,
  minHealthPercent: percent,
});

function tls({ roots, certificate, key }: PolicyFiles) {
  const names = some({
    sni: fc.constant('a.example.com'),
    subjectAltNames: fc.constant<string[]>(['a.example.com', '10.0.0.1']),
  });
  const trust = fc.constantFrom({}, { caCertificates: roots }, { caCertificates: 'system' }, { credentialName: 'db' });
  const verified = fc.tuple(names, trust).map(([name, authority]) => ({ ...name, ...authority }));
  const own = fc.constantFrom({ clientCertificate: certificate, privateKey: key }, { credentialName: 'db' });
  return fc.oneof(
    fc.constantFrom({}, { mode: 'DISABLE' as const }, { mode: 'SIMPLE' as const, insecureSkipVerify: true }),
    names.map((name) => ({ mode: 'ISTIO_MUTUAL' as const, ...name })),
    verified.map((rest) => ({ mode: 'SIMPLE' as const, ...rest })),
    fc.tuple(names, own).map(([name, mine]) => ({ mode: 'MUTUAL' as const, ...name, ...mine })),
  );
}

/** Any policy, nearly all of them valid; {@link judgeDestinationRule} knows which. */
export function arbitraryPolicy(files: PolicyFiles): fc.Arbitrary<TrafficPolicy> {
  return some({
    loadBalancer,
    connectionPool,
    outlierDetection,
    tls: tls(files),
    proxyProtocol: fc.constantFrom({}, { version: 'V1' as const }, { version: 'V2' as const }),
    retryBudget: some({ percent: fc.double({ min: 0, max: 100, noNaN: true }), minRetryConcurrency: count }),
  });
}
