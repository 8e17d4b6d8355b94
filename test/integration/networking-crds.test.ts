import { beforeAll, describe, expect, test } from '@jest/globals';
import { NETWORKING_RESOURCES } from '../../api/networking-resources.ts';
import { inTree } from '../../hack/mesh/install.ts';
import { testKubectl } from '../e2e/support/cluster.ts';
import { useNamespace } from '../e2e/support/namespace.ts';
import { established } from './support/established.ts';

const kubectl = testKubectl();
const namespace = useNamespace('networking-crds', {});
const names = NETWORKING_RESOURCES.map(({ plural, group }) => `${plural}.${group}`);

beforeAll(async () => {
  await kubectl.run(['apply', '-k', inTree('manifests/istio-crds')]);
  await established(kubectl, names);
}, 60_000);

/** Specs as people bring them, with most of the fields of each kind. */
const SPECS: Readonly<Record<string, object>> = {
  VirtualService: {
    hosts: ['reviews'],
    gateways: ['mesh', 'front'],
    exportTo: ['.'],
    http: [
      {
        name: 'signed-in',
        match: [
          {
            uri: { prefix: '/v1' },
            headers: { 'end-user': { exact: 'jason' } },
            queryParams: { q: { regex: '^[a-z]+$' } },
            withoutHeaders: { 'x-test': {} },
            ignoreUriCase: true,
            port: 80,
            sourceLabels: { app: 'ui' },
          },
        ],
        rewrite: { uri: '/v2' },
        route: [
          { destination: { host: 'reviews', subset: 'v1', port: { number: 9080 } }, weight: 95 },
          { destination: { host: 'reviews', subset: 'v2' }, weight: 5, headers: { response: { add: { a: 'b' } } } },
        ],
        timeout: '10s',
        retries: { attempts: 3, perTryTimeout: '2s', retryOn: '5xx,reset' },
        fault: { delay: { percentage: { value: 0.1 }, fixedDelay: '5s' }, abort: { httpStatus: 503 } },
        mirror: { host: 'reviews', subset: 'v3' },
        mirrorPercentage: { value: 100 },
        corsPolicy: { allowOrigins: [{ exact: 'https://shop.example' }], allowMethods: ['GET'], maxAge: '24h' },
      },
      { match: [{ uri: { exact: '/old' } }], redirect: { uri: '/new', redirectCode: 302 } },
      { directResponse: { status: 503, body: { string: 'closed' } } },
    ],
    tls: [{ match: [{ port: 443, sniHosts: ['a.example'] }], route: [{ destination: { host: 'a.example' } }] }],
    tcp: [{ match: [{ port: 27017 }], route: [{ destination: { host: 'mongo' }, weight: 100 }] }],
  },
  DestinationRule: {
    host: 'reviews',
    exportTo: ['*'],
    trafficPolicy: {
      loadBalancer: {
        simple: 'LEAST_REQUEST',
        localityLbSetting: { enabled: true, failover: [{ from: 'a', to: 'b' }] },
      },
      connectionPool: { tcp: { maxConnections: 1 }, http: { http1MaxPendingRequests: 1, maxRequestsPerConnection: 1 } },
      outlierDetection: { consecutive5xxErrors: 1, interval: '1s', baseEjectionTime: '3m', maxEjectionPercent: 100 },
      tls: { mode: 'SIMPLE', sni: 'reviews.example' },
      portLevelSettings: [{ port: { number: 80 }, loadBalancer: { consistentHash: { httpHeaderName: 'x-user' } } }],
    },
    subsets: [{ name: 'v1', labels: { version: 'v1' }, trafficPolicy: { loadBalancer: { simple: 'ROUND_ROBIN' } } }],
  },
  ServiceEntry: {
    hosts: ['db.example', '*.shop.example'],
    addresses: ['10.9.0.0/24'],
    ports: [{ number: 3306, name: 'tls-db', protocol: 'TLS', targetPort: 3307 }],
    location: 'MESH_INTERNAL',
    resolution: 'STATIC',
    endpoints: [{ address: '10.1.1.1', ports: { 'tls-db': 13306 }, locality: 'eu/a', weight: 2, labels: { v: '1' } }],
    exportTo: ['.'],
    subjectAltNames: ['spiffe://cluster.local/ns/shop/sa/db'],
  },
  WorkloadEntry: {
    address: '10.1.1.2',
    ports: { http: 8080 },
    labels: { app: 'db' },
    network: 'vms',
    locality: 'eu/a/rack1',
    weight: 1,
    serviceAccount: 'db',
  },
  Sidecar: {
    workloadSelector: { labels: { app: 'ui' } },
    ingress: [
      {
        port: { number: 9080, protocol: 'HTTP', name: 'web' },
        defaultEndpoint: '127.0.0.1:8080',
        captureMode: 'IPTABLES',
        connectionPool: { http: { http2MaxRequests: 10 } },
      },
    ],
    egress: [
      {
        port: { number: 3306, protocol: 'MYSQL', name: 'db' },
        captureMode: 'NONE',
        bind: '127.0.0.1',
        hosts: ['*/db.example'],
      },
      { hosts: ['./*', 'istio-system/*'] },
    ],
    outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' },
    inboundConnectionPool: { tcp: { maxConnections: 100, tcpKeepalive: { time: '1h' } } },
  },
};

const object = (kind: string, version = 'v1', spec: unknown = SPECS[kind]): object => ({
  apiVersion: `networking.istio.io/${version}`,
  kind,
  metadata: { name: `x-${version}` },
  spec,
});

/** Applies an object without keeping it, and gives what the API server said. */
async function admit(given: object, ...flags: string[]): Promise<string> {
  const args = ['-n', namespace.name, 'apply', '--dry-run=server', ...flags, '-f', '-'];
  const { stdout, stderr } = await kubectl.try(args, { input: JSON.stringify(given) });
  return stdout + stderr;
}

describe.each(NETWORKING_RESOURCES)('the API server, asked for a $kind', ({ kind, plural, group, versions }) => {
  test.each([...versions])('keeps every field in %s, and gives it back in all versions', async (version) => {
    await namespace.apply(object(kind, version));
    for (const other of versions) {
      const kept = await namespace.get<{ spec: object }>(`${plural}.${other}.${group}`, `x-${version}`);
      expect(kept?.spec).toEqual(SPECS[kind]);
    }
  });

  test("takes a status by server-side apply, Istio's fields and those of later versions beside ours", async () => {
    await namespace.apply(object(kind));
    const status = {
      observedGeneration: 1,
      conditions: [
        {
          type: 'Accepted',
          status: 'True',
          reason: 'Accepted',
          message: '',
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ],
      validationMessages: [{ level: 'WARNING', type: { code: 'IST0101' } }],
      later: { a: 1 },
    };
    const applied = { ...object(kind), spec: undefined, status };
    const args = ['-n', namespace.name, 'apply', '--server-side', '--subresource=status', '--field-manager=heddle'];
    await kubectl.run([...args, '-f', '-'], { input: JSON.stringify(applied) });
    expect(await namespace.get(kind, 'x-v1')).toMatchObject({ spec: SPECS[kind], status });
  });

  test('names a field that it does not know, and lets it pass for who asks for that', async () => {
    const spec = { ...SPECS[kind], colour: 'blue' };
    expect(await admit(object(kind, 'v1', spec))).toContain('unknown field "spec.colour"');
    expect(await admit(object(kind, 'v1', spec), '--validate=false')).toMatch(/configured|created|unchanged/);
  });
});

describe('the API server', () => {
  test.each<[string, string, object]>([
    ['a host that is none', 'ServiceEntry', { hosts: ['a_b'], resolution: 'DNS' }],
    ['a host without a namespace', 'Sidecar', { egress: [{ hosts: ['a.b'] }] }],
    ['a workload without an address', 'WorkloadEntry', {}],
    [
      'weights that sum to nothing',
      'VirtualService',
      { http: [{ route: [{ destination: { host: 'a' }, weight: 0 }] }] },
    ],
    ['a subset twice', 'DestinationRule', { host: 'a', subsets: [{ name: 'v1' }, { name: 'v1' }] }],
  ])('leaves %s to the webhook, which judges in namespaces of ours alone', async (_, kind, spec) => {
    expect(await admit(object(kind, 'v1', spec))).toMatch(/configured|created/);
  });

  test.each<[string, object]>([
    ['DestinationRule', { host: 'a', trafficPolicy: { outlierDetection: { consecutive5xxErrors: null } } }],
    ['VirtualService', { hosts: ['a'], http: [{ retries: { attempts: 1, retryRemoteLocalities: null } }] }],
  ])("takes a %s with null where Istio's CRD does", async (kind, spec) => {
    // `kubectl apply` would leave out the null itself.
    const args = ['-n', namespace.name, 'create', '--dry-run=server', '-f', '-'];
    const given = { ...object(kind, 'v1', spec), metadata: { name: 'with-null' } };
    await kubectl.run(args, { input: JSON.stringify(given) });
  });

  test.each<[string, string, object, string]>([
    [
      'a resolution',
      'ServiceEntry',
      { hosts: ['a.b'], resolution: 'MAGIC' },
      'spec.resolution: Unsupported value: "MAGIC"',
    ],
    ['a type', 'WorkloadEntry', { address: 7 }, 'spec.address'],
    [
      'a mode',
      'Sidecar',
      { outboundTrafficPolicy: { mode: 'SOME' } },
      'spec.outboundTrafficPolicy.mode: Unsupported value',
    ],
    ['no hosts', 'ServiceEntry', {}, 'spec.hosts: Required value'],
  ])('refuses %s that no version of Istio knows', async (_, kind, spec, message) => {
    expect(await admit(object(kind, 'v1beta1', spec))).toContain(message);
  });
});

describe('kubectl get', () => {
  const state = ['ACCEPTED', 'PROGRAMMED', 'MESSAGE'];
  const told = ['True', 'False', 'in force on 2 of 3 proxies'];

  test.each([
    ['vs', ['NAME', 'GATEWAYS', 'HOSTS', ...state, 'AGE'], ['x-v1', '["mesh","front"]', '["reviews"]', ...told]],
    ['dr', ['NAME', 'HOST', ...state, 'AGE'], ['x-v1', 'reviews', ...told]],
    [
      'se',
      ['NAME', 'HOSTS', 'LOCATION', 'RESOLUTION', ...state, 'AGE'],
      ['x-v1', '["db.example","*.shop.example"]', 'MESH_INTERNAL', 'STATIC', ...told],
    ],
    ['we', ['NAME', 'AGE', 'ADDRESS', ...state], ['x-v1', expect.any(String), '10.1.1.2', ...told]],
    ['sidecars', ['NAME', ...state, 'AGE'], ['x-v1', ...told]],
  ])('%s: shows the columns of Istio and ours', async (short, columns, row) => {
    const resource = NETWORKING_RESOURCES.find(({ shortNames, plural }) => [...shortNames, plural].includes(short));
    await namespace.apply(object(resource?.kind ?? ''));
    const conditions = [
      { type: 'Accepted', status: 'True' },
      { type: 'Programmed', status: 'False', message: 'in force on 2 of 3 proxies' },
    ];
    const status = JSON.stringify({ status: { conditions } });
    await namespace.run('patch', short, 'x-v1', '--subresource=status', '--type=merge', '-p', status);
    const [head = '', line = ''] = (await namespace.run('get', short, 'x-v1')).split('\n');
    expect(head.split(/ {2,}/)).toEqual(columns);
    expect(line.split(/ {2,}/).slice(0, row.length)).toEqual(row);
  });
});
