import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { LOADING_ANNOTATION } from '../../api/pod-names.ts';
import { waitUntil } from '../../hack/mesh/wait.ts';
import { silentLogger } from '../../kube/logger.ts';
import type { WorkloadMemory } from '../../operator/ads/workload-memory.ts';
import { pod, SETTINGS, service, slice } from '../../operator/mesh/testing/objects.ts';
import { RemoteProxies } from '../../operator/replicas/remote-proxies.ts';
import { REPORT_PATH } from '../../operator/replicas/replica-link.ts';
import { ReplicaLinks } from '../../operator/replicas/replica-links.ts';
import { remoteUse, workloadMemory } from '../../operator/wiring/workload-memory.ts';
import { CLUSTER_TYPE, LISTENER_TYPE, VIRTUAL_HOST_TYPE } from '../../operator/xds/resource.ts';
import { type AdsHarness, authenticatorOf, nodeIdOf, startHarness, type TestPod } from './support/ads-harness.ts';
import { type EchoBackend, startEchoBackend } from './support/echo-backend.ts';
import { type EnvoyProcess, startEnvoy } from './support/envoy-process.ts';
import { freePort } from './support/free-port.ts';
import { call } from './support/http-call.ts';
import { httpListener, MeshOnStream, sentResources } from './support/mesh-on-stream.ts';
import { ResourceTable } from './support/resource-table.ts';

const SERVICES = ['s1', 's2', 's3', 's4'];
const nameOf = (name: string) => `outbound|80||${name}.shop.svc.cluster.local`;

/** A replica of the operator, whose proxies listen on a port of their own. */
interface TestReplica {
  readonly harness: AdsHarness;
  readonly memory: WorkloadMemory;
  readonly at: number;
  readonly links: ReplicaLinks;
  readonly self: TestPod;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

/** A pod with its Envoy. */
interface TestProxy {
  readonly pod: TestPod;
  readonly envoy: EnvoyProcess;
}

describe('a workload with clusters on demand', () => {
  const mesh = new MeshOnStream(SETTINGS);
  /** The pods of the operator. */
  const replicaPods = new Map<string, TestPod>();
  const pods = new Map<string, TestPod>();
  let backend: EchoBackend;
  let started: EnvoyProcess[] = [];
  let replicas: TestReplica[] = [];

  beforeAll(async () => {
    backend = await startEchoBackend('one');
    for (const name of SERVICES) mesh.put(...serviceNamed(name));
  });

  afterEach(async () => {
    await Promise.all(started.map((envoy) => envoy.stop()));
    for (const { links } of replicas) links.stop();
    await Promise.all(replicas.map(({ harness }) => harness.stop()));
    [started, replicas] = [[], []];
  });

  afterAll(() => backend?.close());

  function serviceNamed(name: string) {
    const app = pod(name, { injected: false, address: '127.0.0.1' });
    const ports = [{ name: 'http', port: 80, targetPort: backend.port }];
    return [
      { kind: 'Pod' as const, object: app },
      { kind: 'Service' as const, object: service(name, { app: name }, { clusterIP: 'None', ports }) },
      { kind: 'EndpointSlice' as const, object: slice(name, [app], { http: backend.port }) },
    ];
  }

  async function startReplica(name: string, atPort = 0): Promise<TestReplica> {
    const at = await freePort();
    const listeners = new ResourceTable([LISTENER_TYPE]);
    listeners.update([httpListener(at, 80, true)]);
    const memory = workloadMemory((uid) => mesh.snapshot.workloads.get(uid), Date.now);
    const use = remoteUse(memory, mesh.cache);
    const remote = new RemoteProxies({ metrics: () => undefined, logger: silentLogger, use });
    const report = {
      path: REPORT_PATH,
      authenticator: authenticatorOf(replicaPods),
      conversation: remote.conversation(),
    };
    const sources = [...mesh.sources.filter((source) => source !== mesh.listeners), listeners];
    const harness = await startHarness(sources, {}, { atPort, otherCalls: [report], memory });
    const self = harness.addPod(name, 'heddle-system');
    harness.pods.delete(self.uid);
    replicaPods.set(self.uid, self);
    for (const one of pods.values()) harness.pods.set(one.uid, one);
    const links = new ReplicaLinks({
      identity: {
        nodeId: nodeIdOf(self),
        token: async () => self.token,
        serverName: 'localhost',
        roots: () => harness.rootPem,
      },
      local: harness.server.acks,
      observe: (observer) => harness.server.observe(observer),
      logger: silentLogger,
    });
    const replica = { harness, memory, at, links, self };
    replicas.push(replica);
    return replica;
  }

  /** Starts a pod of a Deployment at a replica, up to the moment at which it serves. */
  async function startPod(replica: TestReplica, deployment: string, revision = 'r1'): Promise<TestProxy> {
    const { harness, at } = replica;
    const own = harness.addPod(`${deployment}-${revision}-${pods.size}`);
    pods.set(own.uid, own);
    const object = pod(own.name, { uid: own.uid, address: own.ips[0] ?? '', deployment, revision });
    object.metadata = {
      ...object.metadata,
      annotations: { ...object.metadata?.annotations, [LOADING_ANNOTATION]: 'on-demand' },
    };
    mesh.put({ kind: 'Pod', object });
    const { port: adsPort, rootPem } = harness;
    const envoy = await startEnvoy({ nodeId: nodeIdOf(own), token: own.token, adsPort, rootPem });
    started.push(envoy);
    await until('the listener', () => listens(at));
    return { pod: own, envoy };
  }

  async function end({ envoy }: TestProxy): Promise<void> {
    started = started.filter((one) => one !== envoy);
    await envoy.stop();
  }

  const until = (what: string, probe: () => Promise<boolean>) =>
    waitUntil(what, async () => ((await probe()) ? undefined : 'not yet'), { timeoutMs: 15_000, everyMs: 10 });

  const get = async ({ at }: TestReplica, name: string) =>
    (await call({ port: at, headers: { host: name }, agent: false })).status;

  /** Outbound clusters that a proxy has. */
  async function held({ envoy }: TestProxy): Promise<string[]> {
    const { configs = [] } = JSON.parse(await envoy.admin('/config_dump?resource=dynamic_active_clusters')) as {
      configs?: { cluster: { name: string } }[];
    };
    return configs
      .map(({ cluster }) => cluster.name)
      .filter((name) => name.startsWith('outbound|'))
      .sort();
  }

  /** Those of the services' clusters that the proxy asked for by name on its stream. */
  const asked = ({ harness }: TestReplica, { pod: { uid } }: TestProxy) =>
    SERVICES.filter((name) => harness.server.acks.proxy(uid)?.asksFor?.(CLUSTER_TYPE, nameOf(name)));

  /** Those of the services' virtual hosts that it asked for. */
  const askedHosts = ({ harness }: TestReplica, { pod: { uid } }: TestProxy) =>
    SERVICES.filter((name) =>
      harness.server.acks.proxy(uid)?.asksFor?.(VIRTUAL_HOST_TYPE, `80/${name}.shop.svc.cluster.local`),
    );

  test('waits for a cluster and its routes in the life of its first pod alone: the next has them before a request comes', async () => {
    const replica = await startReplica('operator');
    const first = await startPod(replica, 'web');
    expect(await held(first)).toEqual([]);
    expect([await get(replica, 's1'), await get(replica, 's2')]).toEqual([200, 200]);
    expect([asked(replica, first), askedHosts(replica, first)]).toEqual([
      ['s1', 's2'],
      ['s1', 's2'],
    ]);
    await end(first);

    const second = await startPod(replica, 'web', 'r2');
    expect(await held(second)).toEqual(['s1', 's2'].map(nameOf));
    expect([await get(replica, 's1'), await get(replica, 's2')]).toEqual([200, 200]);
    expect([asked(replica, second), askedHosts(replica, second)]).toEqual([[], []]);
    expect(await get(replica, 's3')).toBe(200);
    expect([asked(replica, second), askedHosts(replica, second)]).toEqual([['s3'], ['s3']]);
    await end(second);

    // What is gone is not sent, nor said to be gone; another workload has nothing.
    const kinds = ['Service', 'EndpointSlice'] as const;
    mesh.apply(kinds.map((kind) => ({ kind, key: `shop/s2${kind === 'Service' ? '' : '-1'}`, object: undefined })));
    const third = await startPod(replica, 'web');
    expect(await held(third)).toEqual(['s1', 's3'].map(nameOf));
    mesh.put(...serviceNamed('s2'));
    await until('the Service', async () => (await get(replica, 's2')) === 200);
    await end(third);
    expect(await held(await startPod(replica, 'other'))).toEqual([]);
  }, 60_000);

  test('goes on over a restart of the operator, which learns from the pods that live', async () => {
    const before = await startReplica('operator');
    const first = await startPod(before, 'cart');
    expect(await get(before, 's1')).toBe(200);
    await end(first);
    const second = await startPod(before, 'cart');
    expect(await get(before, 's2')).toBe(200);
    replicas = [];
    await before.harness.stop();

    // It has both, and has asked for one of them.
    const after = await startReplica('operator', before.harness.port);
    await until('the proxy', async () => asked(after, second).length > 0);
    expect(asked(after, second)).toEqual(['s2']);
    await until('the new listener', () => listens(after.at));
    expect([await get(after, 's1'), await get(after, 's2')]).toEqual([200, 200]);
    expect(await held(second)).toEqual(['s1', 's2'].map(nameOf));
    expect((await sentResources(after.harness)).get('Cluster') ?? 0).toBe(0);
    await end(second);
    const third = await startPod(after, 'cart');
    expect(await held(third)).toEqual(['s1', 's2'].map(nameOf));
    expect([asked(after, third), askedHosts(after, third)]).toEqual([[], []]);
  }, 60_000);

  test('is remembered by every replica, whichever had the pod that asked', async () => {
    const [one, two] = [await startReplica('operator-1'), await startReplica('operator-2')];
    for (const [from, to] of [[one, two] as const, [two, one] as const]) {
      const { self, harness } = to;
      from.links.set([{ uid: self.uid, podName: self.name, target: `127.0.0.1:${harness.port}` }]);
    }
    const first = await startPod(one, 'front');
    two.harness.pods.set(first.pod.uid, first.pod);
    expect(await get(one, 's1')).toBe(200);
    const names = (replica: TestReplica) =>
      replica.memory.ahead({ uid: first.pod.uid, podName: '', namespace: 'shop', serviceAccount: '' }, CLUSTER_TYPE);
    await until('word of it', async () => names(two).length > 0);
    expect(names(two)).toEqual(names(one));
    await end(first);
    const second = await startPod(two, 'front');
    expect(await held(second)).toEqual([nameOf('s1')]);
    expect(await get(two, 's1')).toBe(200);
    expect([asked(two, second), askedHosts(two, second)]).toEqual([[], []]);
  }, 60_000);
});
