import fc from 'fast-check';
import type { DestinationPolicy } from '../../mesh/destination-policy.ts';
import type { HttpMatch, RouteRule, SourceMatch } from '../../mesh/route-rule.ts';
import type { EgressListener, SidecarScope } from '../../mesh/sidecar-scope.ts';
import type { MeshService, MeshSnapshot } from '../../mesh/snapshot.ts';
import { given, maybe } from '../../mesh/testing/optional.ts';
import type { Visibility } from '../../mesh/visibility.ts';
import { port, service } from './mesh-fixture.ts';

/** One small change of the mesh, as events are: it takes many to see what an update forgets. */
export type Edit = (snapshot: MeshSnapshot) => MeshSnapshot;

const HOSTS = [
  'a.shop.svc.cluster.local',
  'b.shop.svc.cluster.local',
  'a.bank.svc.cluster.local',
  'pods.shop.svc.cluster.local',
  'api.example.com',
  '*.example.com',
];
const hosts = fc.constantFrom(...HOSTS);
const ruleHosts = fc.constantFrom(...HOSTS, 'nobody.example.com', '*.shop.svc.cluster.local', '*.com');
const namespaces = fc.constantFrom('shop', 'bank');
const visibility = fc.constantFrom<Visibility[]>('*', ['shop'], ['bank', 'shop'], []);

const source: fc.Arbitrary<SourceMatch> = fc
  .record({
    labels: fc.constantFrom<Record<string, string>[]>({}, { app: 'w0' }, { tier: 'x' }),
    namespace: maybe(namespaces),
  })
  .map(given);

const httpMatch: fc.Arbitrary<HttpMatch> = fc
  .record({
    uri: maybe(fc.constantFrom({ kind: 'prefix' as const, value: '/a' }, { kind: 'exact' as const, value: '/b' })),
    port: maybe(fc.constantFrom(80, 81)),
    source: maybe(source),
  })
  .map((match) => ({ ignoreUriCase: false, headers: [], withoutHeaders: [], queryParams: [], ...given(match) }));

const backend = fc
  .record({ hostname: ruleHosts, subset: maybe(fc.constantFrom('v1', 'v2')), port: maybe(fc.constantFrom(80, 9000)) })
  .map((one) => ({ ...given(one), weight: 50 }));

const routeRule: fc.Arbitrary<RouteRule> = fc
  .record({
    name: fc.constantFrom('r0', 'r1', 'r2'),
    namespace: namespaces,
    createdAt: fc.nat({ max: 2 }),
    hosts: fc.uniqueArray(ruleHosts, { minLength: 1, maxLength: 2 }),
    visibility,
    http: fc.array(
      fc.record({
        matches: fc.array(httpMatch, { maxLength: 2 }),
        backends: fc.array(backend, { minLength: 1, maxLength: 2 }),
      }),
      { maxLength: 2 },
    ),
    tcp: fc.array(
      fc.record({
        matches: fc.array(
          source.map((of) => ({ subnets: [], source: of })),
          { maxLength: 1 },
        ),
        backends: fc.array(backend, { minLength: 1, maxLength: 2 }),
      }),
      { maxLength: 1 },
    ),
  })
  .map(({ name, namespace, http, ...rest }) => ({
    ...rest,
    object: { kind: 'VirtualService', namespace, name },
    key: `VirtualService/${namespace}/${name}`,
    delegates: [],
    tls: [],
    http: http.map(({ matches, backends }) => ({
      name: '',
      matches,
      action: { kind: 'forward' as const, backends },
      mirrors: [],
    })),
  }));

const subset = fc
  .record({ name: fc.constantFrom('v1', 'v2'), version: fc.constantFrom('1', '2') })
  .map(({ name, version }) => ({ name, labels: { version } }));

const destinationPolicy: fc.Arbitrary<DestinationPolicy> = fc
  .record({
    name: fc.constantFrom('d0', 'd1'),
    namespace: fc.constantFrom('shop', 'bank', 'heddle-system'),
    createdAt: fc.nat({ max: 2 }),
    host: ruleHosts,
    visibility,
    clients: fc.constantFrom<Record<string, string>[]>({}, {}, { app: 'w0' }),
    policy: maybe(
      fc.constantFrom<NonNullable<DestinationPolicy['policy']>[]>(
        { loadBalancer: { simple: 'RANDOM' } },
        { loadBalancer: { consistentHash: { httpHeaderName: 'x-user' } } },
        { outlierDetection: {}, connectionPool: { tcp: { maxConnections: 3 } } },
        { tls: { mode: 'DISABLE' } },
      ),
    ),
    subsets: fc.uniqueArray(subset, { selector: ({ name }) => name, maxLength: 2 }),
  })
  .map(({ name, namespace, ...rest }) => ({
    ...given(rest),
    object: { kind: 'DestinationRule', namespace, name },
    key: `DestinationRule/${namespace}/${name}`,
  }));

const egress: fc.Arbitrary<EgressListener> = fc
  .record({
    port: maybe(fc.constantFrom(80, 9000)),
    hosts: fc.array(
      fc.record({ namespace: fc.constantFrom('*', '.', 'shop', 'bank'), host: fc.constantFrom('*', ...HOSTS) }),
      { minLength: 1, maxLength: 2 },
    ),
  })
  .map(({ port: number, hosts: imported }) => ({
    hosts: imported,
    ...(number === undefined ? {} : { port: { number, protocol: 'http' as const, name: 'p' } }),
  }));

const sidecar: fc.Arbitrary<SidecarScope> = fc
  .record({
    name: fc.constantFrom('s0', 's1'),
    egress: fc.array(egress, { maxLength: 2 }),
    outboundPolicy: maybe(fc.constantFrom('ALLOW_ANY' as const, 'REGISTRY_ONLY' as const)),
  })
  .map(({ name, ...rest }) => ({
    ...given(rest),
    object: { kind: 'Sidecar', namespace: 'shop', name },
    key: `Sidecar/shop/${name}`,
  }));

const entry: fc.Arbitrary<MeshService> = fc
  .record({
    hostname: fc.constantFrom('api.example.com', '*.example.com', 'b.shop.svc.cluster.local'),
    namespace: namespaces,
    createdAt: fc.nat({ max: 2 }),
    protocol: fc.constantFrom('http' as const, 'tcp' as const, 'tls' as const),
    visibility,
    resolution: fc.constantFrom<MeshService['resolution'][]>('endpoints', 'dns', 'original-destination'),
    addresses: fc.constantFrom<string[][]>([], ['10.96.0.1'], ['240.0.0.0/8']),
  })
  .map(({ hostname, namespace, protocol, ...rest }) =>
    service(`x.${namespace}`, [port(80, protocol, 'p80')], {
      ...rest,
      key: `${namespace}/${hostname}`,
      hostname,
      name: hostname,
      kind: 'Entry',
      external: true,
      object: { kind: 'ServiceEntry', namespace, name: hostname },
    }),
  );

/** Edits of what users say about traffic: routes, destination policies, ServiceEntries, Sidecars. */
export const trafficEdits: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 3, arbitrary: put('routeRules', routeRule) },
  { weight: 3, arbitrary: put('destinationPolicies', destinationPolicy) },
  { weight: 2, arbitrary: put('services', entry) },
  put('sidecars', sidecar),
  take(
    'routeRules',
    fc.tuple(namespaces, fc.constantFrom('r0', 'r1', 'r2')).map(([of, name]) => `VirtualService/${of}/${name}`),
  ),
  take(
    'destinationPolicies',
    fc.tuple(namespaces, fc.constantFrom('d0', 'd1')).map(([of, name]) => `DestinationRule/${of}/${name}`),
  ),
  take(
    'services',
    fc.tuple(namespaces, hosts).map(([of, host]) => `${of}/${host}`),
  ),
  take('sidecars', fc.constantFrom('Sidecar/shop/s0', 'Sidecar/shop/s1')),
);

type Maps = Pick<MeshSnapshot, 'routeRules' | 'destinationPolicies' | 'services' | 'sidecars'>;

function put<Name extends keyof Maps>(
  name: Name,
  values: fc.Arbitrary<
    Maps[Name] extends { get(key: string): infer Value } ? NonNullable<Value> & { readonly key: string } : never
  >,
): fc.Arbitrary<Edit> {
  return values.map((value) => (mesh) => {
    // The map and its values belong together, which TypeScript does not see through the name.
    const map = mesh[name] as unknown as { set(key: string, entry: unknown): Maps[Name] };
    return { ...mesh, [name]: map.set(value.key, value) };
  });
}

function take(name: keyof Maps, keys: fc.Arbitrary<string>): fc.Arbitrary<Edit> {
  return keys.map((key) => (mesh) => ({ ...mesh, [name]: mesh[name].delete(key) }));
}
