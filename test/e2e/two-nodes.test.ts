import { describe, expect } from '@jest/globals';
import { CAPTURE_IMAGE, ENVOY_IMAGE, HEDDLE_IMAGE, SHOP_IMAGE, TESTBED_IMAGE } from '../../hack/images/catalog.ts';
import { waitUntil } from '../../hack/mesh/wait.ts';
import { orders, ordersBudget } from './support/canary-fixture.ts';
import { OrdersTarget } from './support/canary-target.ts';
import { conditionMessage, programmed } from './support/conditions.ts';
import { releaseUnharmed } from './support/harmless-release.ts';
import { clusterSetup, clusterTest, useNamespace } from './support/namespace.ts';
import { destinationRule } from './support/networking-object.ts';
import { PacketCapture } from './support/packet-capture.ts';
import { podIdentity } from './support/pod-identity.ts';
import { ProxyAdmin } from './support/proxy-admin.ts';
import { Client } from './support/testbed-client.ts';
import { client, server, versionedServer } from './support/testbed-objects.ts';
import { testbedPods } from './support/testbed-pods.ts';
import { on, useTwoNodes } from './support/two-nodes.ts';
import { expectSecrecy } from './support/wire-secrecy.ts';

interface Placed {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly nodeName?: string };
}

const mesh = useNamespace('nodes');
const nodes = useTwoNodes([ENVOY_IMAGE, HEDDLE_IMAGE, TESTBED_IMAGE, SHOP_IMAGE, CAPTURE_IMAGE]);
const here = new Client(mesh, 'deployment/here');
const there = new Client(mesh, 'deployment/there');
const target = new OrdersTarget(mesh, 'Deployment');

const peerAuthentication = (name: string, spec: object): object => ({
  apiVersion: 'security.istio.io/v1',
  kind: 'PeerAuthentication',
  metadata: { name },
  spec,
});

/** Ejects a pod that fails: what localities are in an order for, unless told otherwise. */
const outlierDetection = {
  consecutive5xxErrors: 3,
  interval: '500ms',
  baseEjectionTime: '60s',
  maxEjectionPercent: 100,
};

/** `orders`, as many of its pods on either node, as long as both take pods. */
async function applyOrders(replicas: number): Promise<void> {
  const [, deployment] = orders() as [object, { spec: { template: { metadata: object; spec: object } } }];
  const { template } = deployment.spec;
  const spread = {
    maxSkew: 1,
    topologyKey: 'kubernetes.io/hostname',
    whenUnsatisfiable: 'DoNotSchedule',
    // A node that is drained counts no longer.
    nodeTaintsPolicy: 'Honor',
    labelSelector: { matchLabels: { app: 'orders' } },
  };
  await target.apply({
    replicas,
    template: { ...template, spec: { ...template.spec, topologySpreadConstraints: [spread] } },
  });
}

clusterSetup(
  [mesh],
  async () => {
    const [first, second] = [on(nodes.first), on(nodes.second)];
    await mesh.apply(
      ...client('here', first),
      ...client('there', second),
      ...server('echo', second),
      ...server('open', second),
      ...versionedServer('place', { first, second }),
      destinationRule('place', { host: 'place', trafficPolicy: { outlierDetection } }),
      peerAuthentication('default', { mtls: { mode: 'STRICT' } }),
      peerAuthentication('open', { selector: { matchLabels: { app: 'open' } }, mtls: { mode: 'DISABLE' } }),
      ordersBudget({ minAvailable: 3 }),
    );
    await applyOrders(4);
    const names = ['here', 'there', 'echo', 'open', 'place-first', 'place-second'];
    await Promise.all([...names.map((name) => mesh.rolledOut(name)), target.rollout(120)]);
    await target.applyCanary({ stepWeights: [50] });
    await Promise.all([
      ...['default', 'open'].map((name) => conditionMessage(mesh, 'peerauthentication', name, 'Programmed', 'True')),
      programmed(mesh, 'destinationrule', 'place'),
      target.phase('Initialized', 60),
    ]);
  },
  240_000,
);

/** Pods of an app on a node that are not on their way out. */
async function podsOn(node: string, app: string): Promise<string[]> {
  const pods = await mesh.list<Placed>('pods', `app=${app}`);
  const stay = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return stay.filter(({ spec }) => spec.nodeName === node).map(({ metadata }) => metadata.name);
}

describe('a mesh on two nodes', () => {
  clusterTest(
    'carries what one node says to the other, and nothing of it is to be read on either',
    [mesh],
    async () => {
      const [caller, echo, open] = await Promise.all(['here', 'echo', 'open'].map((name) => podIdentity(mesh, name)));
      if (caller === undefined || echo === undefined || open === undefined) throw new Error('not all pods are known');
      expect(await podsOn(nodes.first, 'here')).toEqual([caller.name]);
      expect(await podsOn(nodes.second, 'echo')).toEqual([echo.name]);
      const capture = await PacketCapture.start(
        mesh,
        [caller, echo, open].map(({ name }) => name),
      );
      expect(capture.nodes).toBe(2);
      const pods = { caller, secret: { host: 'echo', pod: echo }, open: { host: 'open', pod: open } };
      await expectSecrecy(here, pods, () => capture.packetsByNode());
    },
  );

  clusterTest('calls the pods of its own node, and those of the other when they fail', [mesh], async () => {
    const ask = { count: 40, gapMs: 5 };
    const [zone] = await testbedPods(mesh, 'app=place,version=first');
    if (zone === undefined) throw new Error('there is no pod of the first node');
    const versions = async (caller: Client) => (await caller.many('http://place/', ask)).versions;
    expect(await versions(here)).toEqual({ first: 40 });
    expect(await versions(there)).toEqual({ second: 40 });
    const known = await new ProxyAdmin(mesh, 'deployment/here').endpoints('outbound|80||place.');
    const places = [...known.values()].flat().map(({ locality, priority }) => `${priority} ${locality}`);
    expect(places.sort()).toEqual(await expectedPlaces());
    await here.behave([zone], { errors: true });
    await waitUntil('the pod of the other node', async () => {
      const found = await versions(here);
      return found.second === ask.count ? undefined : JSON.stringify(found);
    });
    expect(await versions(there)).toEqual({ second: 40 });
  });

  clusterTest(
    'loses no request of a release while a node is drained, of as many pods at a time as may be away',
    [mesh],
    async () => {
      expect(await podsOn(nodes.first, 'orders')).toHaveLength(2);
      expect(await podsOn(nodes.second, 'orders')).toHaveLength(2);
      await releaseUnharmed(here, target, 50, 4, async () => {
        await drain(nodes.second);
        expect(await podsOn(nodes.second, 'orders')).toEqual([]);
      });
      expect(await podsOn(nodes.first, 'orders')).toHaveLength(4);
      await mesh.kubectl.run(['uncordon', nodes.second]);
    },
    360_000,
  );
});

/** The endpoints of `place` for who is on the first node: priority and locality, by the labels of the nodes. */
async function expectedPlaces(): Promise<string[]> {
  const { items } = await mesh.kubectl.json<{
    items: { metadata: { name: string; labels: Record<string, string> } }[];
  }>(['get', 'nodes']);
  return [nodes.first, nodes.second].map((name, priority) => {
    const labels = items.find(({ metadata }) => metadata.name === name)?.metadata.labels ?? {};
    return `${priority} ${labels['topology.kubernetes.io/region']}/${labels['topology.kubernetes.io/zone']}`;
  });
}

/** Asks all pods of a node to leave, as one does who will take the machine away; it takes no others then. */
async function drain(node: string): Promise<void> {
  const flags = ['--ignore-daemonsets', '--delete-emptydir-data', '--force', '--timeout=120s'];
  await mesh.kubectl.run(['drain', node, ...flags], { timeoutMs: 130_000 });
}
