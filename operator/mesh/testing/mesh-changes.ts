import type { V1ServicePort } from '@kubernetes/client-node';
import fc from 'fast-check';
import { SIDE_ANNOTATION } from '../../../api/canary-side.ts';
import type { MeshChange } from '../mesh-object.ts';
import { authorizationChanges } from './authorization-changes.ts';
import { canaryChanges } from './canary-changes.ts';
import {
  destinationRule,
  peerAuthentication,
  service,
  serviceEntry,
  sidecar,
  slice,
  workloadEntry,
} from './objects.ts';
import { maybe } from './optional.ts';
import { podChanges } from './pod-changes.ts';
import { rateLimitChanges } from './rate-limit-changes.ts';
import { requestAuthenticationChanges } from './request-authentication-changes.ts';
import { telemetryChanges } from './telemetry-changes.ts';
import { virtualServiceChanges } from './virtual-service-changes.ts';

/** Random changes of a cluster for property tests: few names, labels and hosts, so that objects meet. */

const index = fc.nat({ max: 3 });
/** The namespaces that objects are in. */
export const namespaces = fc.constantFrom('shop', 'other', 'heddle-system');
const time = fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z');
const modes = fc.constantFrom('UNSET' as const, 'DISABLE' as const, 'PERMISSIVE' as const, 'STRICT' as const);

const serviceSpec = fc.record({
  selector: fc.constantFrom<Record<string, string>[]>({ app: 'a' }, { app: 'b' }, { tier: 'x' }, {}),
  ports: fc.constantFrom<V1ServicePort[][]>(
    [{ name: 'http', port: 80, targetPort: 8080 }],
    [{ name: 'tcp-db', port: 80, targetPort: 8080 }],
    [{ name: 'http', port: 80, targetPort: 'web' }],
  ),
  publishNotReadyAddresses: fc.boolean(),
  side: maybe(fc.constantFrom('canary', 'stable', 'neither')),
  type: fc.constantFrom('ClusterIP', 'ExternalName'),
  creation: time,
});

const serviceChanges = fc.tuple(namespaces, index, maybe(serviceSpec)).map(([namespace, i, spec]): MeshChange => {
  const key = `${namespace}/s${i}`;
  if (spec === undefined) return { kind: 'Service', key, object: undefined };
  const { side, creation, ...rest } = spec;
  const made = service(`s${i}`, spec.selector, rest);
  const annotations = side === undefined ? {} : { annotations: { [SIDE_ANNOTATION]: side } };
  const metadata = { ...made.metadata, namespace, creationTimestamp: new Date(creation), ...annotations };
  return { kind: 'Service', key, object: { ...made, metadata } };
});

const sliceEndpoint = fc.record({
  pod: index,
  life: fc.nat({ max: 1 }),
  ready: fc.boolean(),
  terminating: fc.boolean(),
  byUid: fc.boolean(),
});

const sliceChanges = fc
  .tuple(namespaces, index, index, maybe(fc.array(sliceEndpoint)))
  .map(([namespace, i, of, endpoints]): MeshChange => {
    const made = endpoints && slice(`s${of}`, []);
    const object = made && {
      ...made,
      metadata: { ...made.metadata, name: `slice${i}`, namespace },
      endpoints: endpoints.map(({ pod, life, ready, terminating, byUid }) => ({
        addresses: [`10.0.${life}.${pod}`],
        conditions: { ready, terminating },
        targetRef: { kind: 'Pod', name: `p${pod}`, ...(byUid ? { uid: `${namespace}-p${pod}-${life}` } : {}) },
      })),
    };
    return { kind: 'EndpointSlice', key: `${namespace}/slice${i}`, object };
  });

const policySpec = fc.record({
  selector: fc.constantFrom<Record<string, string>[]>({}, { app: 'a' }, { tier: 'x' }),
  mode: modes,
  port: maybe(modes),
  creation: time,
});

const policyChanges = fc.tuple(namespaces, index, maybe(policySpec)).map(([namespace, i, spec]): MeshChange => {
  const key = `${namespace}/pa${i}`;
  const object =
    spec &&
    peerAuthentication(
      key,
      {
        selector: { matchLabels: spec.selector },
        mtls: { mode: spec.mode },
        ...(spec.port === undefined ? {} : { portLevelMtls: { 8080: { mode: spec.port } } }),
      },
      spec.creation,
    );
  return { kind: 'PeerAuthentication', key, object };
});

// The first two have the same address of DNS capture, and the third is that of a Service.
const entryHosts = fc.constantFrom(
  'h5703.example.com',
  'h8141.example.com',
  's0.shop.svc.cluster.local',
  '*.example.com',
);

const serviceEntrySpec = fc.record({
  hosts: fc.array(entryHosts, { maxLength: 2 }),
  addresses: fc.constantFrom<string[][]>([], ['192.0.2.1']),
  number: fc.constantFrom(80, 443),
  location: fc.constantFrom('MESH_INTERNAL' as const, 'MESH_EXTERNAL' as const),
  resolution: fc.constantFrom('NONE' as const, 'STATIC' as const, 'DNS' as const, 'DNS_ROUND_ROBIN' as const),
  where: fc.constantFrom('selected' as const, 'selected' as const, 'listed' as const, 'nowhere' as const),
  selector: fc.constantFrom<Record<string, string>[]>({ app: 'a' }, { tier: 'x' }),
  exportTo: fc.constantFrom<string[][]>(['*'], ['.'], ['.', 'other']),
  creation: time,
});

const serviceEntryChanges = fc
  .tuple(namespaces, index, maybe(serviceEntrySpec))
  .map(([namespace, i, spec]): MeshChange => {
    const key = `${namespace}/se${i}`;
    if (spec === undefined) return { kind: 'ServiceEntry', key, object: undefined };
    const { number, where, selector, creation, ...rest } = spec;
    const object = serviceEntry(
      key,
      {
        ...rest,
        ports: [{ number, name: 'web', protocol: 'HTTP' }],
        ...(where === 'selected' ? { workloadSelector: { labels: selector } } : {}),
        ...(where === 'listed' ? { endpoints: [{ address: '192.0.2.2', serviceAccount: 'vm' }] } : {}),
      },
      creation,
    );
    return { kind: 'ServiceEntry', key, object };
  });

const workloadEntrySpec = fc.record({
  address: fc.constantFrom('192.0.2.3', 'vm.example.com', 'not an address'),
  labels: fc.constantFrom<Record<string, string>[]>({ app: 'a' }, { app: 'b', tier: 'x' }, {}),
  ports: fc.constantFrom<Record<string, number>[]>({}, { web: 9090 }),
  weight: fc.constantFrom(0, 7),
});

const workloadEntryChanges = fc
  .tuple(namespaces, index, maybe(workloadEntrySpec))
  .map(([namespace, i, spec]): MeshChange => {
    const key = `${namespace}/we${i}`;
    return { kind: 'WorkloadEntry', key, object: spec && workloadEntry(key, spec) };
  });

const destinationHosts = fc.constantFrom(
  's0',
  's1.shop.svc.cluster.local',
  '*.svc.cluster.local',
  'h5703.example.com',
  '*.example.com',
  'not a host',
);

const destinationRuleSpec = fc.record({
  host: destinationHosts,
  balanced: fc.boolean(),
  subsets: fc.uniqueArray(fc.constantFrom('r1', 'v1', 'all'), { maxLength: 2 }),
  exportTo: fc.constantFrom<string[][]>(['*'], ['.'], ['other']),
  selector: maybe(fc.constantFrom<Record<string, string>[]>({ app: 'a' }, { tier: 'x' })),
  creation: time,
});

const destinationRuleChanges = fc
  .tuple(namespaces, index, maybe(destinationRuleSpec))
  .map(([namespace, i, spec]): MeshChange => {
    const key = `${namespace}/dr${i}`;
    if (spec === undefined) return { kind: 'DestinationRule', key, object: undefined };
    const { host, balanced, subsets, exportTo, selector, creation } = spec;
    const object = destinationRule(
      key,
      {
        host,
        ...(balanced ? { trafficPolicy: { loadBalancer: { simple: 'RANDOM' } } } : {}),
        subsets: subsets.map((name) => (name === 'all' ? { name } : { name, labels: { 'pod-template-hash': name } })),
        ...(selector === undefined ? { exportTo } : { workloadSelector: { matchLabels: selector } }),
      },
      creation,
    );
    return { kind: 'DestinationRule', key, object };
  });

const sidecarSpec = fc.record({
  selector: maybe(fc.constantFrom<Record<string, string>[]>({ app: 'a' }, { tier: 'x' }, {})),
  hosts: fc.constantFrom<string[][]>(['./*'], ['*/*'], ['~/*'], ['without a namespace']),
  endpoint: maybe(fc.constantFrom('127.0.0.1:9080', '0.0.0.0:9080')),
  mode: maybe(fc.constantFrom('ALLOW_ANY' as const, 'REGISTRY_ONLY' as const)),
  creation: time,
});

const sidecarChanges = fc.tuple(namespaces, index, maybe(sidecarSpec)).map(([namespace, i, spec]): MeshChange => {
  const key = `${namespace}/sc${i}`;
  if (spec === undefined) return { kind: 'Sidecar', key, object: undefined };
  const { selector, hosts, endpoint, mode, creation } = spec;
  const object = sidecar(
    key,
    {
      egress: [{ hosts }],
      ...(selector === undefined ? {} : { workloadSelector: { labels: selector } }),
      ...(endpoint === undefined ? {} : { ingress: [{ port: { number: 8080 }, defaultEndpoint: endpoint }] }),
      ...(mode === undefined ? {} : { outboundTrafficPolicy: { mode } }),
    },
    creation,
  );
  return { kind: 'Sidecar', key, object };
});

const nodeChanges = fc
  .tuple(fc.constantFrom('n1', 'n2'), maybe(fc.tuple(fc.constantFrom('z1', 'z2'), fc.boolean())))
  .map(([name, facts]): MeshChange => {
    const object = facts && {
      metadata: { name, labels: { 'topology.kubernetes.io/zone': facts[0] } },
      status: { conditions: [{ type: 'Ready', status: facts[1] ? 'True' : 'Unknown' }] },
    };
    return { kind: 'Node', key: name, object };
  });

const namespaceChanges = fc
  .tuple(namespaces, maybe(fc.constantFrom('enabled', 'disabled')))
  .map(([name, injection]): MeshChange => {
    const object = injection && { metadata: { name, labels: { 'heddle.dev/injection': injection } } };
    return { kind: 'Namespace', key: name, object: object || undefined };
  });

/** An object of any kind that comes, changes or goes. */
export const meshChanges: fc.Arbitrary<MeshChange> = fc.oneof(
  { weight: 4, arbitrary: podChanges },
  { weight: 3, arbitrary: sliceChanges },
  { weight: 2, arbitrary: serviceChanges },
  { weight: 2, arbitrary: canaryChanges },
  { weight: 2, arbitrary: policyChanges },
  { weight: 3, arbitrary: serviceEntryChanges },
  { weight: 2, arbitrary: workloadEntryChanges },
  { weight: 4, arbitrary: virtualServiceChanges },
  { weight: 2, arbitrary: destinationRuleChanges },
  { weight: 2, arbitrary: sidecarChanges },
  { weight: 2, arbitrary: authorizationChanges },
  { weight: 2, arbitrary: requestAuthenticationChanges },
  { weight: 2, arbitrary: rateLimitChanges },
  { weight: 2, arbitrary: telemetryChanges },
  nodeChanges,
  namespaceChanges,
);
