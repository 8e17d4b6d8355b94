import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { judgeDestinationRule } from '../../api/destination-rule.ts';
import type { TrafficPolicy } from '../../operator/mesh/destination-policy.ts';
import type { AppProtocol, Resolution } from '../../operator/mesh/snapshot.ts';
import { discoveryOf } from '../../operator/xds/cluster-discovery.ts';
import { translateServiceCluster } from '../../operator/xds/clusters.ts';
import { translateAssignment } from '../../operator/xds/load-assignments.ts';
import { CLUSTER_TYPE, ENDPOINT_TYPE, type ResourceSource, type XdsResource } from '../../operator/xds/resource.ts';
import { endpoint, port, proxyOf, service } from '../../operator/xds/testing/mesh-fixture.ts';
import { arbitraryPolicy } from '../../operator/xds/testing/traffic-policy-arbitrary.ts';
import { useEnvoyJudge } from './support/envoy-judge.ts';

/** Clusters per run: one process of Envoy judges them all. */
const BATCH = 120;
const PEER = 'spiffe://cluster.local/ns/shop/sa/app';
const place = (region: string, zone = '') => ({ locality: { region, zone, subzone: '' } });
const NAMED = [endpoint('localhost', { http: 80 }), endpoint('b.invalid', { http: 80 }, { weight: 7, ...place('r2') })];
const KNOWN = [
  endpoint('10.0.0.1', { http: 80 }, place('r1', 'z1')),
  endpoint('10.0.0.2', { http: 80 }, { weight: 40, mtls: false, ...place('r2') }),
  endpoint('10.0.0.3', { http: 80 }, { weight: 40, labels: { cell: 'a' }, ...place('r1', 'z2') }),
];
const CLIENT = { ...place('r1', 'z1'), labels: { version: 'v1' } };

const files = { roots: '/etc/certs/ca.pem', certificate: '/etc/certs/c.pem', key: '/etc/certs/c.key' };
const objections = useEnvoyJudge();

interface Wish {
  readonly policy: TrafficPolicy;
  readonly protocol: AppProtocol;
  readonly resolution: Resolution;
  readonly meshed: boolean;
}

const wish: fc.Arbitrary<Wish> = fc.record({
  policy: arbitraryPolicy(files).filter(
    (trafficPolicy) => judgeDestinationRule({ host: 'catalog', trafficPolicy }).errors.length === 0,
  ),
  protocol: fc.constantFrom('http', 'http2', 'grpc', 'tcp', 'tls', 'auto'),
  resolution: fc.constantFrom('endpoints', 'endpoints', 'dns', 'dns-round-robin', 'original-destination'),
  meshed: fc.boolean(),
});

/** A cluster and, where it has one, its load assignment. */
function translate({ policy, protocol, resolution, meshed }: Wish, index: number): XdsResource[] {
  const target = port(80, protocol, 'http');
  const name = `cluster-${index}`;
  const endpoints = resolution.startsWith('dns') ? NAMED : KNOWN;
  const subject = service('catalog.shop', [target], { resolution, external: !meshed });
  const peers = meshed ? [PEER] : [];
  const input = { name, service: subject, port: target, subset: '', revision: '', peers, policy, endpoints };
  const cluster = translateServiceCluster({ ...input, client: CLIENT });
  if (discoveryOf(subject, policy) !== 'endpoints') return [cluster];
  const rest = { portName: 'http', endpoints, clusterVersion: cluster.version, policy, client: CLIENT };
  return [cluster, translateAssignment({ cluster: name, ...rest })];
}

function sourceOf(resources: readonly XdsResource[]): ResourceSource {
  const byName = (typeUrl: string) =>
    new Map(resources.filter((resource) => resource.typeUrl === typeUrl).map((resource) => [resource.name, resource]));
  return {
    typeUrls: [CLUSTER_TYPE, ENDPOINT_TYPE],
    wildcard: (_, typeUrl) => byName(typeUrl),
    lookup: (_, typeUrl, name) => byName(typeUrl).get(name),
    onChange: () => () => undefined,
  };
}

test('Envoy accepts whatever valid policies become', async () => {
  const batch = fc.array(wish, { minLength: BATCH, maxLength: BATCH, size: 'max' });
  const property = fc.asyncProperty(batch, async (wishes) => {
    expect(await objections(sourceOf(wishes.flatMap(translate)), proxyOf('a'))).toBe('');
  });
  // A batch that fails is told by Envoy's own message, which names the cluster; making it smaller would start Envoy hundreds of times.
  await fc.assert(property, { numRuns: 2, endOnFailure: true });
}, 60_000);
