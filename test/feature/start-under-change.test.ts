import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { DestinationRuleSpec } from '../../api/destination-rule.ts';
import { SecretSource } from '../../operator/certificates/secret-source.ts';
import { readyAuthority } from '../../operator/certificates/testing/chain.ts';
import type { MeshChange, MeshObject } from '../../operator/mesh/mesh-object.ts';
import { destinationRule, pod, SETTINGS, service, slice, virtualService } from '../../operator/mesh/testing/objects.ts';
import { CLUSTER_TYPE, SECRET_TYPE } from '../../operator/xds/resource.ts';
import { Draw } from '../../operator/xds/testing/draw.ts';
import { MeshCache } from '../../operator/xds/testing/mesh-cache.ts';
import { type AdsHarness, nodeIdOf, startHarness } from './support/ads-harness.ts';
import { startEnvoy } from './support/envoy-process.ts';
import { HeldSecrets } from './support/held-secrets.ts';

/** Hundreds by hand: HEDDLE_ROUNDS. */
const ROUNDS = Number(process.env.HEDDLE_ROUNDS ?? 12);
const READY_WITHIN_MS = 12_000;
const SERVICES = 24;
const PORTS = [
  { name: 'http', port: 80 },
  { name: 'http-other', port: 81 },
  { name: 'tcp', port: 90 },
  { name: 'auto', port: 7000 },
];

/** Rules for some clients alone have all clients sorted anew when they come and go. */
const POLICIES: readonly Omit<DestinationRuleSpec, 'host'>[] = [
  { subsets: [{ name: 'v1' }, { name: 'v2', labels: { version: 'v2' } }] },
  { workloadSelector: { matchLabels: { app: 'client' } }, trafficPolicy: { tls: { mode: 'DISABLE' } } },
  { exportTo: ['.'], trafficPolicy: { connectionPool: { tcp: { maxConnections: 5 } } } },
  { trafficPolicy: { loadBalancer: { simple: 'PASSTHROUGH' } } },
  { workloadSelector: { matchLabels: { tier: 'x' } }, trafficPolicy: { outlierDetection: {} } },
];

const mesh = new MeshCache(SETTINGS);
let harness: AdsHarness;
let secrets: SecretSource;

beforeAll(async () => {
  const authority = await readyAuthority();
  secrets = new SecretSource({
    authority,
    spiffeId: ({ uid }) => `spiffe://cluster.local/ns/x/sa/${uid}`,
    workloadMs: 3_600_000,
  });
  harness = await startHarness([mesh.cache, secrets]);
}, 60_000);

afterAll(async () => {
  await harness.stop();
  await secrets.stop();
});

/** Some have a port that nobody else has, so that its listener and routes go with them. */
function objectsOf(number: number): MeshObject[] {
  const name = `s${number}`;
  const ports = [...PORTS, ...(number % 4 === 0 ? [{ name: 'http-own', port: 9000 + number }] : [])].map((one) => ({
    ...one,
    protocol: 'TCP',
    targetPort: one.port,
  }));
  const app = pod(`${name}-pod`, { address: `10.1.0.${number + 1}` });
  return [
    { kind: 'Service', object: service(name, { app: name }, { clusterIP: `10.96.0.${number + 1}`, ports }) },
    { kind: 'Pod', object: app },
    { kind: 'EndpointSlice', object: slice(name, [app], Object.fromEntries(ports.map((one) => [one.name, one.port]))) },
    {
      kind: 'DestinationRule',
      object: destinationRule(`shop/${name}`, { host: name, ...POLICIES[number % POLICIES.length] }),
    },
    ...(number % 3 === 0
      ? [
          {
            kind: 'VirtualService' as const,
            object: virtualService(`shop/${name}`, {
              hosts: [name],
              http: [{ route: [{ destination: { host: name, subset: 'v1' } }] }],
            }),
          },
        ]
      : []),
  ];
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** A few changes of the mesh, in any order and at any pace, while a proxy starts. */
async function churn(draw: Draw, changing: readonly MeshObject[], isOver: () => boolean): Promise<void> {
  const shuffled = () => [...changing].map((one) => [draw.below(1e6), one] as const).sort(([a], [b]) => a - b);
  const sometimes = async (ms: number): Promise<void> => (draw.once(2) ? pause(draw.below(ms)) : undefined);
  await pause(draw.below(250));
  for (const [, { kind, object }] of shuffled()) {
    if (isOver()) return;
    mesh.apply([{ kind, key: `shop/${object.metadata?.name}`, object: undefined } as MeshChange]);
    await sometimes(30);
  }
  if (draw.once(2)) return;
  for (const [, one] of shuffled()) {
    mesh.put(one);
    await sometimes(10);
  }
}

test('a proxy that starts while services go and come is ready soon', async () => {
  const all = Array.from({ length: SERVICES }, (_, number) => objectsOf(number));
  mesh.put(...all.flat());
  for (let round = 0; round < ROUNDS; round++) {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const draw = new Draw(seed);
    const client = harness.addPod(`client-${round}`);
    mesh.put({
      kind: 'Pod',
      object: pod(client.name, {
        uid: client.uid,
        address: client.ips[0] ?? '',
        labels: { app: draw.one(['client', 'vm']), tier: draw.one(['x', 'y']) },
      }),
    });
    const changing = all.slice(0, 1 + draw.below(SERVICES)).flat();
    let over = false;
    const changes = churn(draw, changing, () => over);
    const began = performance.now();
    const envoy = await startEnvoy({
      nodeId: nodeIdOf(client),
      token: client.token,
      adsPort: harness.port,
      rootPem: harness.rootPem,
    });
    let state = '';
    while (performance.now() - began < READY_WITHIN_MS) {
      state = (await envoy.admin('/ready')).trim();
      if (state === 'LIVE') break;
      await pause(20);
    }
    const waitsFor = state === 'LIVE' ? '' : await envoy.admin('/config_dump?resource=dynamic_warming_clusters');
    over = true;
    await changes;
    await envoy.stop();
    mesh.put(...changing);
    mesh.apply([{ kind: 'Pod', key: `shop/${client.name}`, object: undefined }]);
    expect({ seed, state, waitsFor }).toEqual({ seed, state: 'LIVE', waitsFor: '' });
  }
}, 600_000);

describe('a cluster that waits for a certificate while its proxy starts', () => {
  const NAME = 'outbound|80||changing.shop.svc.cluster.local';
  const rule = (name: string, maxConnections: number): MeshObject => ({
    kind: 'DestinationRule',
    object: destinationRule(`shop/${name}`, {
      host: name,
      trafficPolicy: { loadBalancer: { simple: 'PASSTHROUGH' }, connectionPool: { tcp: { maxConnections } } },
    }),
  });
  /** Of the clusters that Envoy makes ready first. */
  const passedThrough = (name: string, number: number): MeshObject[] => {
    const app = pod(`${name}-pod`, { address: `10.1.1.${number}` });
    const ports = PORTS.map((port) => ({ ...port, protocol: 'TCP' }));
    return [
      { kind: 'Service', object: service(name, { app: name }, { clusterIP: `10.96.1.${number}`, ports }) },
      { kind: 'Pod', object: app },
      {
        kind: 'EndpointSlice',
        object: slice(name, [app], Object.fromEntries(ports.map((one) => [one.name, one.port]))),
      },
      rule(name, 1),
    ];
  };

  test.each<[string, boolean, () => void, (clusters: string) => boolean]>([
    [
      'and goes meanwhile goes once it has it',
      false,
      () => mesh.apply([{ kind: 'Service', key: 'shop/changing', object: undefined }]),
      (clusters) => !clusters.includes(NAME),
    ],
    [
      'and changes meanwhile changes once it has it',
      false,
      () => mesh.put(rule('changing', 7)),
      (clusters) => clusters.includes(`${NAME}::default_priority::max_connections::7`),
    ],
    [
      'and changes after its stream broke changes once it has it',
      true,
      () => mesh.put(rule('changing', 8)),
      (clusters) => clusters.includes(`${NAME}::default_priority::max_connections::8`),
    ],
  ])(
    '%s',
    async (_, breaks, change, isDone) => {
      mesh.put(...passedThrough('changing', 1), ...passedThrough('staying', 2));
      const held = new HeldSecrets(secrets);
      const own = await startHarness([mesh.cache, held]);
      const client = own.addPod('client');
      mesh.put({ kind: 'Pod', object: pod(client.name, { uid: client.uid, address: client.ips[0] ?? '' }) });
      const envoy = await startEnvoy({
        nodeId: nodeIdOf(client),
        token: client.token,
        adsPort: own.port,
        rootPem: own.rootPem,
      });
      try {
        await until(
          async () => held.asked.size > 0 && own.server.acks.acked(client.uid, CLUSTER_TYPE, NAME) !== undefined,
        );
        if (breaks) {
          const before = own.server.acks.proxy(client.uid)?.connectedAt;
          own.server.letGo(1);
          await until(async () => {
            const now = own.server.acks.proxy(client.uid);
            const asks = [...held.asked].every((name) => now?.asksFor?.(SECRET_TYPE, name) === true);
            return now?.connected === true && now.connectedAt !== before && asks;
          });
        }
        // Envoy reads both at once, the change first: what a cluster leaves behind is gone a moment later.
        process.kill(envoy.pid, 'SIGSTOP');
        change();
        await pause(200);
        held.release();
        await pause(200);
        process.kill(envoy.pid, 'SIGCONT');
        await until(async () => (await envoy.admin('/ready')).trim() === 'LIVE');
        await until(async () => isDone(await envoy.admin('/clusters')));
      } finally {
        await envoy.stop();
        await own.stop();
      }
    },
    60_000,
  );

  async function until(holds: () => Promise<boolean>): Promise<void> {
    for (const end = performance.now() + 20_000; !(await holds()); await pause(20)) {
      if (performance.now() > end) throw new Error('it never came to be');
    }
  }
});
