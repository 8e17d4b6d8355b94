import type { V1Service } from '@kubernetes/client-node';
import fc from 'fast-check';
import type { z } from 'zod';
import { authorizationPolicySpec } from '../../../api/authorization-policy.ts';
import { judgeAuthorizationPolicy } from '../../../api/authorization-policy-judgement.ts';
import { destinationRuleSpec, judgeDestinationRule } from '../../../api/destination-rule.ts';
import type { SpecJudgement } from '../../../api/field-problem.ts';
import { peerAuthenticationSpec } from '../../../api/peer-authentication.ts';
import { rateLimitPolicySpec } from '../../../api/rate-limit-policy.ts';
import { judgeRateLimitPolicy } from '../../../api/rate-limit-policy-judgement.ts';
import { serviceEntrySpec } from '../../../api/service-entry.ts';
import { judgeServiceEntry } from '../../../api/service-entry-judgement.ts';
import { sidecarSpec } from '../../../api/sidecar.ts';
import { judgeSidecar } from '../../../api/sidecar-judgement.ts';
import { judgeVirtualService, virtualServiceSpec } from '../../../api/virtual-service.ts';
import { workloadEntrySpec } from '../../../api/workload-entry.ts';
import { judgeWorkloadEntry } from '../../../api/workload-entry-judgement.ts';
import type { MeshKind, MeshObject } from '../../mesh/mesh-object.ts';
import { canary, pod, service, slice } from '../../mesh/testing/objects.ts';
import { Draw } from './draw.ts';
import { SpecSource } from './spec-source.ts';

const NAMESPACES = ['shop', 'bank', 'heddle-system'];
const namespaces = fc.constantFrom(...NAMESPACES);
const time = fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', '2026-01-03T00:00:00Z');

/** Pods that ask: of each namespace one, the last with addresses of both families and DNS capture. */
export const CLIENTS = NAMESPACES.map((namespace) => ({
  uid: `uid-client-${namespace}`,
  podName: `client-${namespace}`,
  namespace,
  serviceAccount: 'default',
}));

/** What every cluster has: namespaces that are ours, nodes, clients, and pods of two versions for services to select. */
export function fixedObjects(): MeshObject[] {
  const zones = ['z1', 'z2'].map((zone, index) => ({
    metadata: {
      name: `node-${index + 1}`,
      labels: { 'topology.kubernetes.io/region': `r${index + 1}`, 'topology.kubernetes.io/zone': zone },
    },
  }));
  const labels = { 'heddle.dev/injection': 'enabled' };
  const clients = CLIENTS.map(({ podName, namespace }, index) => {
    const made = pod(podName, { namespace, labels: { app: 'ui', version: 'v1' }, address: `10.0.9.${index + 1}` });
    const last = index === CLIENTS.length - 1;
    const annotations = { ...made.metadata?.annotations, ...(last ? { 'heddle.dev/dns-capture': 'enabled' } : {}) };
    const podIPs = [...(made.status?.podIPs ?? []), ...(last ? [{ ip: 'fd00::9:3' }] : [])];
    return { ...made, metadata: { ...made.metadata, annotations }, status: { ...made.status, podIPs } };
  });
  const servers = ['a', 'b'].flatMap((app) =>
    [1, 2, 3].map((number) =>
      pod(`${app}-${number}`, {
        labels: { app, version: `v${(number % 2) + 1}`, tier: 'x' },
        address: `10.0.${app === 'a' ? 1 : 2}.${number}`,
        deployment: app,
        revision: number === 3 ? 'r2' : 'r1',
        gated: number === 3,
        injected: app === 'a' || number === 1,
        node: `node-${(number % 2) + 1}`,
      }),
    ),
  );
  return [
    ...NAMESPACES.map((name): MeshObject => ({ kind: 'Namespace', object: { metadata: { name, labels } } })),
    ...zones.map((object): MeshObject => ({ kind: 'Node', object })),
    ...[...clients, ...servers].map((object): MeshObject => ({ kind: 'Pod', object })),
    ...['a', 'b', 'headless'].map((name): MeshObject => {
      const members = servers.filter(({ metadata }) => metadata?.labels?.app === (name === 'b' ? 'b' : 'a'));
      return { kind: 'EndpointSlice', object: slice(name, members, { p0: 8080, p1: 81, p2: 9000 }) };
    }),
  ];
}

const ports = fc.uniqueArray(
  fc.record({
    port: fc.constantFrom(80, 80, 81, 443, 9000, 5432, 15_001),
    name: fc.constantFrom('http', 'http2-x', 'grpc-x', 'tcp-x', 'tls-x', 'https', 'p', 'constructor', 'mongo', 'udp-x'),
    appProtocol: fc.option(fc.constantFrom('http', 'constructor', 'kubernetes.io/h2c', '__proto__'), {
      nil: undefined,
      freq: 1,
    }),
  }),
  { selector: ({ port }) => port, maxLength: 3 },
);

const services: fc.Arbitrary<MeshObject> = fc
  .record({
    name: fc.constantFrom('a', 'a', 'b', 'headless', 'alias'),
    namespace: fc.constantFrom('shop', 'shop', 'bank'),
    ports,
    addresses: fc.constantFrom<string[][]>(['10.96.0.1'], ['10.96.0.2', 'fd00::1'], ['fd00::2'], ['None']),
    externalName: fc.constantFrom('a.shop.svc.cluster.local', 'api.example.com', 'x..y'),
  })
  .map(({ name, namespace, ports, addresses, externalName }): MeshObject => {
    const made = service(name, { app: name === 'b' ? 'b' : 'a' });
    const headless = name === 'headless' ? ['None'] : addresses;
    const spec: NonNullable<V1Service['spec']> = {
      ...made.spec,
      // Kubernetes wants names to differ.
      ports: ports.map(({ appProtocol, ...port }, index) => ({
        ...port,
        name: `${port.name}${index === 0 ? '' : index}`,
        targetPort: 8080,
        ...(appProtocol === undefined ? {} : { appProtocol }),
      })),
      clusterIP: headless[0] ?? '',
      clusterIPs: headless,
      ...(name === 'alias' ? { type: 'ExternalName', externalName } : {}),
    };
    return { kind: 'Service', object: { ...made, metadata: { ...made.metadata, namespace }, spec } };
  });

const canaries: fc.Arbitrary<MeshObject> = fc.constantFrom(0, 5, 50, 100).map((weight): MeshObject => {
  const status = { stableRevision: 'r1', canaryRevision: 'r2', ungatedRevisions: ['r1'], weight };
  return { kind: 'Canary', object: canary('a', 'a', status) };
});

/** Objects of one of Istio's kinds, valid and, a few, of any shape. */
function policies(
  kind: MeshKind,
  schema: z.ZodType,
  judge: (spec: unknown) => SpecJudgement,
  names: readonly string[],
): fc.Arbitrary<MeshObject> {
  const source = new SpecSource(schema);
  const spec = fc.integer().map((seed) => {
    const draw = new Draw(seed);
    return draw.once(10) ? source.broken(draw) : source.valid(draw, judge);
  });
  return fc
    .record({ namespace: namespaces, name: fc.constantFrom(...names), spec, creationTimestamp: time })
    .map(({ namespace, name, spec, creationTimestamp }) => {
      const metadata = { name, namespace, generation: 1, creationTimestamp };
      // Of any shape indeed: that is what the API gives where nobody validates.
      return { kind, object: { kind, metadata, spec } } as unknown as MeshObject;
    });
}

const NO_JUDGE = (): SpecJudgement => ({ errors: [], warnings: [] });

const randomObject = fc.oneof(
  { weight: 4, arbitrary: services },
  {
    weight: 12,
    arbitrary: policies('VirtualService', virtualServiceSpec, judgeVirtualService, [...'abcdefghijklmnop', 'v1', 'v2']),
  },
  {
    weight: 8,
    arbitrary: policies('DestinationRule', destinationRuleSpec, judgeDestinationRule, [...'abcdefgh']),
  },
  { weight: 8, arbitrary: policies('ServiceEntry', serviceEntrySpec, judgeServiceEntry, [...'abcdefgh']) },
  { weight: 3, arbitrary: policies('WorkloadEntry', workloadEntrySpec, judgeWorkloadEntry, [...'abcd']) },
  { weight: 2, arbitrary: policies('Sidecar', sidecarSpec, judgeSidecar, ['a', 'b']) },
  { weight: 1, arbitrary: policies('PeerAuthentication', peerAuthenticationSpec, NO_JUDGE, ['a', 'b']) },
  {
    weight: 4,
    arbitrary: policies('AuthorizationPolicy', authorizationPolicySpec, judgeAuthorizationPolicy, [...'abcd']),
  },
  { weight: 4, arbitrary: policies('RateLimitPolicy', rateLimitPolicySpec, judgeRateLimitPolicy, [...'abcd']) },
  { weight: 1, arbitrary: canaries },
);

/** Objects of a cluster at random, about so many; of one kind, namespace and name the last counts. */
export function randomObjects(count: number): fc.Arbitrary<MeshObject[]> {
  return fc.array(randomObject, { minLength: count, maxLength: count, size: 'max' }).map((objects) => {
    const byKey = new Map(
      objects.map((one) => [`${one.kind}/${one.object.metadata?.namespace}/${one.object.metadata?.name}`, one]),
    );
    return [...byKey.values()];
  });
}
