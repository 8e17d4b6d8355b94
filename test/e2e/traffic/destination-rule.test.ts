import { afterAll, describe, expect } from '@jest/globals';
import { waitUntil } from '../../../hack/mesh/wait.ts';
import { condition, conditionMessage, programmed } from '../support/conditions.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { destinationRule, virtualService } from '../support/networking-object.ts';
import { ProxyAdmin } from '../support/proxy-admin.ts';
import { Client } from '../support/testbed-client.ts';
import { anotherService, client, EAGER, server, TLS_PORT, versionedServer } from '../support/testbed-objects.ts';
import { issueCertificate } from '../testbed/certificate.ts';

const mesh = useNamespace('rules');
const elsewhere = useNamespace('rule-clients');
const outside = useNamespace('plain', {});
const all = [mesh, elsewhere, outside];
const caller = new Client(mesh, 'deployment/caller');
const callerAdmin = new ProxyAdmin(mesh, 'deployment/caller');
const ROOT = 'heddle-system';

const HOSTS = ['limited', 'plain-text', 'by-port', 'looked-up', 'tuned'];

const root = issueCertificate({ commonName: 'root of the outside', authority: true });
const issuer = { commonName: 'root of the outside', key: root.key };
const ofServer = issueCertificate({ commonName: 'secure', names: ['secure.example'], issuer });
const ofClient = issueCertificate({ commonName: 'caller', names: ['spiffe://elsewhere/caller'], issuer });
const secret = (name: string, data: object): object => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name },
  type: 'Opaque',
  stringData: data,
});

/** Lets the caller have its Secrets, and Heddle read them for it. */
const grant: readonly object[] = [
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'credentials' },
    rules: [{ apiGroups: [''], resources: ['secrets'], resourceNames: ['outside', 'others'], verbs: ['get'] }],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'credentials' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'credentials' },
    subjects: [
      { kind: 'ServiceAccount', name: 'caller', namespace: mesh.name },
      { kind: 'ServiceAccount', name: 'heddle-operator', namespace: ROOT },
    ],
  },
];

/** Serves TLS with a certificate that no public authority has signed, behind a port for plain HTTP: TLS is the caller's sidecar's to begin. */
const secure = server('secure', {
  env: { TLS_CERT_FILE: '/tls/cert', TLS_KEY_FILE: '/tls/key', TLS_CA_FILE: '/tls/ca' },
  container: { volumeMounts: [{ name: 'tls', mountPath: '/tls' }] },
  podSpec: { volumes: [{ name: 'tls', secret: { secretName: 'secure' } }] },
  service: { ports: [{ name: 'http', port: 80, targetPort: TLS_PORT }] },
});

clusterSetup(
  all,
  async () => {
    await Promise.all([
      mesh.apply(
        ...versionedServer('reviews', ['v1', 'v2']),
        ...client('caller', { annotations: EAGER }),
        ...grant,
        ...HOSTS.map((host) => anotherService(host, 'reviews')),
        secret('outside', { cert: ofClient.cert, key: ofClient.key, cacert: root.cert }),
        secret('others', { cacert: issueCertificate({ commonName: 'another root', authority: true }).cert }),
      ),
      elsewhere.apply(...client('caller', { annotations: EAGER })),
      outside.apply(secret('secure', { cert: ofServer.cert, key: ofServer.key, ca: root.cert }), ...secure),
    ]);
    await Promise.all([
      ...['reviews-v1', 'reviews-v2', 'caller'].map((name) => mesh.rolledOut(name)),
      elsewhere.rolledOut('caller'),
      outside.rolledOut('secure'),
    ]);
  },
  240_000,
);

describe('subsets', () => {
  clusterTest('are the pods with their labels, and routes lead to them', [mesh], async () => {
    const subset = (name: string): object => ({ name, labels: { version: name } });
    const route = (name: string): object => ({ route: [{ destination: { host: 'reviews', subset: name } }] });
    await mesh.apply(
      destinationRule('reviews', { host: 'reviews', subsets: [subset('v1'), subset('v2')] }),
      virtualService('reviews', {
        hosts: ['reviews'],
        http: [{ match: [{ headers: { 'end-user': { exact: 'jason' } } }], ...route('v2') }, route('v1')],
      }),
    );
    await programmed(mesh, 'destinationrule', 'reviews');
    await programmed(mesh, 'virtualservice', 'reviews');
    const [jason, others] = await caller.plan([
      { url: 'http://reviews/', count: 50, headers: { 'end-user': 'jason' } },
      { url: 'http://reviews/', count: 50 },
    ]);
    expect([jason.versions, others.versions]).toEqual([{ v2: 50 }, { v1: 50 }]);
  });
});

/** The middle one of the times that answers took, in ms. */
const median = (answers: readonly { readonly ms: number }[]): number =>
  answers.map(({ ms }) => ms).toSorted((a, b) => a - b)[Math.floor(answers.length / 2)] ?? 0;

describe('connectionPool', () => {
  const burst = { count: 24, concurrency: 12 };
  const held = { count: 12, concurrency: 12, holdMs: 3000 };

  clusterTest('what is over the limit is refused at once, and nothing is where there is no limit', [mesh], async () => {
    const connectionPool = { tcp: { maxConnections: 2 }, http: { http1MaxPendingRequests: 1 } };
    await mesh.apply(destinationRule('limited', { host: 'limited', trafficPolicy: { connectionPool } }));
    await programmed(mesh, 'destinationrule', 'limited');
    // An updated cluster is in use when it is warm, a moment after it was acknowledged.
    for (const port of [80, 90]) await limitOf(callerAdmin, `outbound.${port}..limited.${mesh.name}.`, 2);
    const [limited, free, limitedTcp, freeTcp] = await caller.plan([
      { url: 'http://limited/?delay=2000', ...burst, answers: burst.count },
      { url: 'http://tuned/?delay=2000', ...burst },
      { url: 'tcp://limited:90', ...held },
      { url: 'tcp://tuned:90', ...held },
    ]);
    expect(free.ok).toBe(burst.count);
    expect(Object.keys(limited.statuses).sort()).toEqual(['200', '503']);
    const refused = limited.answers.filter(({ status }) => status === 503);
    expect(refused.filter(({ body }) => body?.includes('overflow') !== true)).toEqual([]);
    // At once: most of them before any that was served, by a delay that no busy machine takes for itself.
    const served = limited.answers.filter(({ status }) => status === 200);
    expect(median(refused)).toBeLessThan(Math.min(...served.map(({ ms }) => ms)));
    expect(freeTcp.ok).toBe(held.count);
    // Two, where the first has its connection before the second comes: until then it is the one that may be pending.
    expect(limitedTcp.ok).toBeGreaterThanOrEqual(1);
    expect(limitedTcp.ok).toBeLessThan(held.count);
  });
});

describe('tls', () => {
  const IDENTITY = 'x-forwarded-client-cert';

  clusterTest('DISABLE and ISTIO_MUTUAL towards the mesh, for a host and for one port of it', [mesh], async () => {
    const tls = (mode: string): object => ({ tls: { mode } });
    const levels = [{ port: { number: 81 }, ...tls('ISTIO_MUTUAL') }];
    await mesh.apply(
      destinationRule('plain-text', { host: 'plain-text', trafficPolicy: tls('DISABLE') }),
      destinationRule('by-port', {
        host: 'by-port',
        trafficPolicy: { ...tls('DISABLE'), portLevelSettings: levels },
      }),
    );
    await programmed(mesh, 'destinationrule', 'plain-text');
    await programmed(mesh, 'destinationrule', 'by-port');
    const reports = await caller.plan([
      { url: 'http://plain-text/' },
      { url: 'http://by-port/' },
      { url: 'http://by-port:81/', protocol: 'http2' },
      { url: 'http://tuned/' },
    ]);
    const identities = reports.map(
      ({ answers: [answer] }) => answer?.echo?.headers[IDENTITY]?.match(/URI=.*(sa\/\w+)/)?.[1],
    );
    expect(reports.map(({ ok }) => ok)).toEqual([1, 1, 1, 1]);
    expect(identities).toEqual([undefined, undefined, 'sa/caller', 'sa/caller']);
  });

  const host = (): string => `secure.${outside.name}.svc.cluster.local`;
  const withTls = async (tls: object) => {
    const rule = { host: host(), workloadSelector: { matchLabels: { app: 'caller' } }, trafficPolicy: { tls } };
    await mesh.apply(destinationRule('secure', rule));
    await programmed(mesh, 'destinationrule', 'secure');
    const { answers } = await caller.many(`http://${host()}/`);
    return answers[0] ?? { ms: 0 };
  };
  const simple = { mode: 'SIMPLE', sni: 'secure.example' };

  clusterTest('SIMPLE to a server outside of the mesh verifies it', [mesh, outside], async () => {
    const { echo, ...answer } = await withTls({ ...simple, insecureSkipVerify: true });
    expect(answer).toMatchObject({ status: 200 });
    expect(echo?.tls).toMatchObject({ sni: 'secure.example' });
    expect(echo?.tls?.client).toBeUndefined();
    expect(await withTls(simple)).toMatchObject({ status: 503 });
    expect(await withTls({ ...simple, credentialName: 'outside' })).toMatchObject({ status: 200 });
    expect(await withTls({ ...simple, credentialName: 'others' })).toMatchObject({ status: 503 });
    const named = { ...simple, credentialName: 'outside' };
    expect(await withTls({ ...named, subjectAltNames: ['secure.example'] })).toMatchObject({ status: 200 });
    expect(await withTls({ ...named, subjectAltNames: ['other.example'] })).toMatchObject({ status: 503 });
  });

  clusterTest('MUTUAL shows the certificate of a Secret', [mesh, outside], async () => {
    const { echo, ...answer } = await withTls({ ...simple, mode: 'MUTUAL', credentialName: 'outside' });
    expect(answer).toMatchObject({ status: 200 });
    expect(JSON.stringify(echo?.tls?.client)).toContain('spiffe://elsewhere/caller');
  });
});

describe('look-up', () => {
  const admin = new ProxyAdmin(elsewhere, 'deployment/caller');
  const cluster = (): string => `outbound.80..looked-up.${mesh.name}.`;
  const rule = (maxConnections: number, more: object = {}): object =>
    destinationRule('looked-up', {
      host: `looked-up.${mesh.name}.svc.cluster.local`,
      trafficPolicy: { connectionPool: { tcp: { maxConnections } } },
      ...more,
    });
  const inForce = (maxConnections: number): Promise<void> => limitOf(admin, cluster(), maxConnections);
  const removeFromRoot = (): Promise<unknown> =>
    mesh.kubectl.try(['-n', ROOT, 'delete', 'destinationrule', 'looked-up', '--ignore-not-found']);

  afterAll(removeFromRoot);

  clusterTest("the client's namespace goes before the service's, and that before the root namespace", all, async () => {
    const none = 4_294_967_295;
    await inForce(none);
    await mesh.kubectl.apply(JSON.stringify(rule(101)), ['-n', ROOT]);
    await inForce(101);
    await mesh.apply(rule(102));
    await inForce(102);
    await elsewhere.apply(rule(103));
    await inForce(103);
    await elsewhere.run('delete', 'destinationrule', 'looked-up');
    await inForce(102);
    // What is not exported to the client is not there for it.
    await mesh.apply(rule(102, { exportTo: ['.'] }));
    await inForce(101);
    await removeFromRoot();
    await inForce(none);
  });
});

/** Waits until a proxy uses a cluster with such a limit. */
async function limitOf(admin: ProxyAdmin, cluster: string, maxConnections: number): Promise<void> {
  await waitUntil(`a limit of ${maxConnections}`, async () => {
    const [found] = await admin.config<DumpedCluster>('dynamic_active_clusters', cluster);
    const limit = found?.cluster.circuit_breakers?.thresholds?.[0]?.max_connections;
    return limit === maxConnections ? undefined : `${limit}`;
  });
}

interface DumpedCluster {
  readonly cluster: {
    readonly circuit_breakers?: {
      readonly thresholds?: readonly { readonly max_connections?: number; readonly retry_budget?: object }[];
    };
    readonly round_robin_lb_config?: object;
  };
}

describe('what only Envoy can see', () => {
  clusterTest('warmup and retryBudget reach it', [mesh], async () => {
    const warmup = { duration: '30s', minimumPercent: 20, aggression: 1.5 };
    const trafficPolicy = {
      loadBalancer: { simple: 'ROUND_ROBIN', warmup },
      retryBudget: { percent: 25, minRetryConcurrency: 4 },
    };
    await mesh.apply(destinationRule('tuned', { host: 'tuned', trafficPolicy }));
    await programmed(mesh, 'destinationrule', 'tuned');
    const [found] = await callerAdmin.config<DumpedCluster>(
      'dynamic_active_clusters',
      `outbound.80..tuned.${mesh.name}.`,
    );
    expect(found?.cluster.round_robin_lb_config).toMatchObject({
      slow_start_config: {
        slow_start_window: '30s',
        aggression: { default_value: 1.5 },
        min_weight_percent: { value: 20 },
      },
    });
    expect(found?.cluster.circuit_breakers?.thresholds?.[0]?.retry_budget).toEqual({
      budget_percent: { value: 25 },
      min_retry_concurrency: 4,
    });
  });
});

describe('a rule that cannot be in force', () => {
  clusterTest('because an older one says the same is told which', [mesh], async () => {
    const simple = (how: string): object => ({ trafficPolicy: { loadBalancer: { simple: how } } });
    await mesh.apply(destinationRule('contested', { host: 'contested', ...simple('RANDOM') }));
    await condition(mesh, 'destinationrule', 'contested', 'Accepted', 'True');
    await mesh.apply(destinationRule('younger', { host: 'contested', ...simple('ROUND_ROBIN') }));
    const message = await conditionMessage(mesh, 'destinationrule', 'younger', 'Conflicted', 'True');
    expect(message).toContain(`${mesh.name}/contested`);
    expect(message).toContain('spec.trafficPolicy');
  });

  const policy = (trafficPolicy: object): object => ({ host: 'reviews', trafficPolicy });
  const refusals: [what: string, spec: object, field: string][] = [
    ['a host that is none', { host: 'no host' }, 'spec.host'],
    ['two subsets of one name', { host: 'a', subsets: [{ name: 'v1' }, { name: 'v1' }] }, 'spec.subsets[1].name'],
    [
      'shares of 90 %',
      policy({ loadBalancer: { localityLbSetting: { distribute: [{ from: 'a', to: { a: 90 } }] } } }),
      'spec.trafficPolicy.loadBalancer.localityLbSetting.distribute[0].to',
    ],
    ['an ejection of 101 %', policy({ outlierDetection: { maxEjectionPercent: 101 } }), 'maxEjectionPercent'],
    ['MUTUAL without a certificate', policy({ tls: { mode: 'MUTUAL' } }), 'spec.trafficPolicy.tls.clientCertificate'],
  ];
  for (const [what, spec, field] of refusals) {
    clusterTest(`${what} is refused and named`, [mesh], async () => {
      const input = JSON.stringify(destinationRule('bad', spec));
      const { code, stderr } = await mesh.kubectl.try(['apply', '-n', mesh.name, '-f', '-'], { input });
      expect(code).not.toBe(0);
      expect(stderr).toContain(field);
    });
  }
});
