import { describe, expect } from '@jest/globals';
import { waitUntil } from '../../../hack/mesh/wait.ts';
import { conditionMessage, programmed } from '../support/conditions.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { networking } from '../support/networking-object.ts';
import { ProxyAdmin } from '../support/proxy-admin.ts';
import { Client } from '../support/testbed-client.ts';
import { client, EAGER, HTTP_PORT, server, TCP_PORT } from '../support/testbed-objects.ts';
import { testbedPods } from '../support/testbed-pods.ts';

const mesh = useNamespace('scope');
const far = useNamespace('far');
const outside = useNamespace('plain', {});
const all = [mesh, far, outside];
/** One that stays as the namespace's Sidecar has it, and one with a Sidecar of its own. */
const open = new Client(mesh, 'deployment/open');
const strict = new Client(mesh, 'deployment/strict');

let outsideIp: string;

clusterSetup(
  all,
  async () => {
    await Promise.all([
      mesh.apply(
        ...server('near'),
        ...client('open', { annotations: EAGER }),
        ...client('strict', { annotations: EAGER }),
      ),
      far.apply(...server('far'), ...server('friend')),
      outside.apply(...server('legacy')),
    ]);
    await Promise.all([
      ...['near', 'open', 'strict'].map((name) => mesh.rolledOut(name)),
      ...['far', 'friend'].map((name) => far.rolledOut(name)),
      outside.rolledOut('legacy'),
    ]);
    const [pod] = await testbedPods(outside, 'app=legacy');
    if (pod === undefined) throw new Error('there is no pod of legacy');
    outsideIp = pod.ip;
  },
  240_000,
);

const fqdn = (name: string): string => `${name}.${far.name}.svc.cluster.local`;

interface ClusterDump {
  readonly cluster: { readonly name: string };
}

/** Names of the clusters that a pod's sidecar has of services. */
async function clusters(deployment: string): Promise<string[]> {
  const admin = new ProxyAdmin(mesh, `deployment/${deployment}`);
  const dumped = await admin.config<ClusterDump>('dynamic_active_clusters', '^outbound');
  return dumped.map(({ cluster }) => cluster.name);
}

const ofFar = (names: readonly string[]): string[] => names.filter((name) => name.includes(`.${far.name}.`));
const ofNear = (names: readonly string[]): string[] => names.filter((name) => name.includes(`near.${mesh.name}.`));

/** A cluster outlives the last route to it by a second, for requests that are under way. */
async function withoutFar(deployment: string): Promise<void> {
  await waitUntil(`no cluster of ${far.name} at ${deployment}`, async () => {
    const left = ofFar(await clusters(deployment));
    return left.length === 0 ? undefined : left.join(', ');
  });
}

describe('a Sidecar', () => {
  clusterTest('without one, a pod holds the whole mesh', all, async () => {
    const names = await clusters('open');
    expect(ofFar(names).length).toBeGreaterThan(0);
    expect(ofNear(names).length).toBeGreaterThan(0);
    const { echo } = (await open.many(`http://${fqdn('far')}/`)).answers[0] ?? {};
    expect(echo?.headers['x-forwarded-client-cert']).toContain('/sa/open');
  });

  clusterTest('of the namespace limits what its pods hold; other hosts pass as unknown', all, async () => {
    await mesh.apply(networking('Sidecar', 'default', { egress: [{ hosts: ['./*'] }] }));
    // Two clients and a server.
    expect(await programmed(mesh, 'sidecar', 'default')).toBe('in force on 3 of 3 proxies');
    for (const deployment of ['open', 'strict']) {
      await withoutFar(deployment);
      const names = await clusters(deployment);
      expect(new Set(names.map((name) => name.split('.')[1]))).toEqual(new Set([mesh.name]));
      expect(ofNear(names).length).toBeGreaterThan(0);
    }
    const [near, http, tcp, foreign, raw] = await open.plan([
      { url: 'http://near/', count: 5 },
      { url: `http://${fqdn('far')}/`, count: 5 },
      { url: `tcp://${fqdn('far')}:90`, count: 5 },
      { url: `http://${outsideIp}:${HTTP_PORT}/`, count: 5 },
      { url: `tcp://${outsideIp}:${TCP_PORT}`, count: 5 },
    ]);
    expect([near, http, tcp, foreign, raw].map((report) => report?.ok)).toEqual([5, 5, 5, 5, 5]);
    expect(near?.answers[0]?.echo?.headers['x-forwarded-client-cert']).toContain('/sa/open');
    // Unknown to the mesh: it goes as it is.
    expect(http?.answers[0]?.echo?.headers['x-forwarded-client-cert']).toBeUndefined();
  });

  clusterTest(
    'with a workloadSelector goes before it, and its REGISTRY_ONLY holds for its pods alone',
    all,
    async () => {
      await mesh.apply(
        networking('Sidecar', 'strict', {
          workloadSelector: { labels: { app: 'strict' } },
          egress: [{ hosts: ['./*', `${far.name}/${fqdn('friend')}`] }],
          outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' },
        }),
      );
      expect(await programmed(mesh, 'sidecar', 'strict')).toBe('in force on 1 of 1 proxy');
      const names = ofFar(await clusters('strict'));
      expect(new Set(names.map((name) => name.split('|')[3]))).toEqual(new Set([fqdn('friend')]));
      await withoutFar('open');

      const specs = [
        { url: `http://${fqdn('far')}/`, count: 5 },
        { url: `tcp://${fqdn('far')}:90`, timeoutMs: 3000 },
        { url: `tcp://${outsideIp}:${TCP_PORT}`, timeoutMs: 3000 },
      ];
      const [http, tcp, raw] = await strict.plan(specs);
      expect(http?.statuses).toEqual({ 502: 5 });
      expect(http?.answers[0]?.echo).toBeUndefined();
      for (const report of [tcp, raw]) {
        expect(report?.ok).toBe(0);
        // Closed at once, and not left to wait.
        expect(report?.latencyMs.max).toBeLessThan(2000);
      }
      const [near, friend, friendly] = await strict.plan([
        { url: 'http://near/', count: 5 },
        { url: `http://${fqdn('friend')}/`, count: 5 },
        { url: `tcp://${fqdn('friend')}:90`, count: 5 },
      ]);
      expect([near, friend, friendly].map((report) => report?.ok)).toEqual([5, 5, 5]);
      // The other workload's policy stays as it was.
      const passing = await open.plan(specs);
      expect(passing.map(({ ok }) => ok)).toEqual([5, 1, 1]);
    },
  );

  clusterTest('that goes gives back what its pods held', all, async () => {
    await mesh.run('delete', 'sidecar', 'strict');
    await mesh.waitFor<object>('sidecar', 'default', () => undefined);
    await programmed(mesh, 'sidecar', 'default');
    const { statuses } = await strict.many(`http://${fqdn('far')}/`, { count: 3 });
    expect(statuses).toEqual({ 200: 3 });
    await withoutFar('strict');
  });

  clusterTest('the younger of two for the namespace is told which one wins', all, async () => {
    await mesh.apply(networking('Sidecar', 'late', { egress: [{ hosts: ['*/*'] }] }));
    expect(await conditionMessage(mesh, 'sidecar', 'late', 'Conflicted', 'True')).toContain(`${mesh.name}/default`);
    await withoutFar('open');
    await mesh.run('delete', 'sidecar', 'late');
  });

  clusterTest('leads what comes in on a port to another port of the application', all, async () => {
    await mesh.apply(
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'moved' },
        spec: {
          selector: { app: 'near' },
          ports: [
            { name: 'http', port: 80, targetPort: 7080 },
            { name: 'tcp', port: 90, targetPort: 7090 },
          ],
        },
      },
      networking('Sidecar', 'near', {
        workloadSelector: { labels: { app: 'near' } },
        ingress: [
          { port: { number: 7080, protocol: 'HTTP', name: 'http' }, defaultEndpoint: `127.0.0.1:${HTTP_PORT}` },
          { port: { number: 7090, protocol: 'TCP', name: 'tcp' }, defaultEndpoint: `0.0.0.0:${TCP_PORT}` },
        ],
        egress: [{ hosts: ['./*'] }],
      }),
    );
    expect(await programmed(mesh, 'sidecar', 'near')).toBe('in force on 1 of 1 proxy');
    const [http, tcp, before] = await open.plan([
      { url: 'http://moved/', count: 5 },
      { url: 'tcp://moved:90', count: 5 },
      // A port that the Sidecar does not name is the application's own still.
      { url: 'http://near/', count: 5 },
    ]);
    expect([http, tcp, before].map((report) => report?.ok)).toEqual([5, 5, 5]);
    expect(http?.answers[0]?.echo?.headers['x-forwarded-client-cert']).toContain('/sa/open');
  });

  clusterTest('has its pods call what it lends them at an address of their own', all, async () => {
    const host = fqdn('lent');
    const ports = [
      { name: 'http', port: 7070, targetPort: HTTP_PORT },
      { name: 'tcp', port: 7090, targetPort: TCP_PORT },
    ];
    await far.apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'lent' },
      spec: { selector: { app: 'friend' }, ports },
    });
    const listener = (number: number, protocol: string): object => ({
      port: { number, protocol, name: protocol.toLowerCase() },
      bind: '127.0.0.1',
      captureMode: 'NONE',
      hosts: [`${far.name}/${host}`],
    });
    await mesh.apply(
      networking('Sidecar', 'strict', {
        workloadSelector: { labels: { app: 'strict' } },
        egress: [listener(7070, 'HTTP'), listener(7090, 'TCP'), { hosts: ['./*'] }],
      }),
    );
    expect(await programmed(mesh, 'sidecar', 'strict')).toBe('in force on 1 of 1 proxy');
    const [http, tcp, near] = await strict.plan([
      { url: 'http://127.0.0.1:7070/', headers: { host }, count: 5 },
      { url: 'tcp://127.0.0.1:7090', count: 5 },
      { url: 'http://near/', count: 5 },
    ]);
    expect([http?.statuses, near?.statuses]).toEqual([{ 200: 5 }, { 200: 5 }]);
    expect(tcp?.ok).toBe(5);
    expect(http?.answers[0]?.echo?.headers['x-forwarded-client-cert']).toContain('/sa/strict');
    // Nobody else's sidecar listens there.
    const { errors } = await open.many('http://127.0.0.1:7070/', { headers: { host } });
    expect(errors).toEqual({ ECONNREFUSED: 1 });
  });
});
