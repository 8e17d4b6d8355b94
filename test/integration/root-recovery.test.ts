import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { TrustRotation } from '../../api/trust-rotation.ts';
import { inTree } from '../../hack/mesh/install.ts';
import { waitUntil } from '../../hack/mesh/wait.ts';
import { SECRET, TRUST_ROTATION } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { eventually } from '../../kube/testing/memory-api.ts';
import type { CaSecret } from '../../operator/certificates/ca-secret.ts';
import { firstState, newRoot } from '../../operator/certificates/root-rotation.ts';
import { readOwnRoot, renderRoot } from '../../operator/certificates/root-secret.ts';
import { foreignAuthority, userSecret } from '../../operator/certificates/testing/chain.ts';
import { handshake } from '../../operator/certificates/testing/handshake.ts';
import { testKubectl } from '../e2e/support/cluster.ts';
import { useNamespace } from '../e2e/support/namespace.ts';
import { established } from './support/established.ts';
import { useNoOperator } from './support/no-operator.ts';
import { QUICK, RootReplica, type RootReplicaOptions } from './support/root-replica.ts';
import { testApi } from './support/test-api.ts';

const kubectl = testKubectl();
const namespace = useNamespace('root', {});
useNoOperator(kubectl);
const WORKLOAD = { names: [{ uri: 'spiffe://cluster.local/ns/a/sa/a' }], usage: ['serverAuth', 'clientAuth'] } as const;
const SOON_MS = 20_000;

let api: KubeApi;
const running: RootReplica[] = [];

beforeAll(async () => {
  api = testApi();
  await kubectl.run(['apply', '-k', inTree('manifests/base/crds')]);
  await established(kubectl, ['trustrotations.heddle.dev']);
}, 60_000);

beforeEach(async () => {
  for (const name of ['heddle-ca', 'cacerts']) await namespace.run('delete', 'secret', name, '--ignore-not-found');
  await kubectl.run(['delete', 'trustrotations', '--all']);
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((replica) => replica.stop()));
});

afterAll(async () => {
  await kubectl.run(['delete', 'trustrotations', '--all']);
  api.close();
});

const own = () => ({ namespace: namespace.name, name: 'heddle-ca' });
const readCa = () => api.get<CaSecret>(SECRET, own());

/** Starts a replica, and waits until it can issue. */
async function replica(options: Partial<RootReplicaOptions> = {}): Promise<RootReplica> {
  const started = await starting(options);
  await eventually(() => started.authority.state !== undefined, 'a root', SOON_MS);
  return started;
}

async function starting(options: Partial<RootReplicaOptions> = {}): Promise<RootReplica> {
  const started = new RootReplica({ api, namespace: namespace.name, ...options });
  running.push(started);
  await started.start();
  return started;
}

const hears = (of: RootReplica, reason: string) =>
  eventually(() => of.events.some((event) => event.startsWith(`${reason}:`)), reason, SOON_MS);

/** Certificates of two replicas are good for each other. */
async function agree(one: RootReplica, other: RootReplica): Promise<void> {
  const [server, client] = await Promise.all(
    [one, other].map(({ authority }) => authority.issue({ ...WORKLOAD, lifetimeMs: QUICK.workloadMs })),
  );
  if (!server || !client) throw new Error('nothing was issued');
  for (const { authority } of [one, other]) await handshake(server, client, authority.trustBundle);
}

describe('the root at a real API server recovers by itself from', () => {
  test('two replicas that create it at the same moment', async () => {
    const replicas = await Promise.all([replica(), replica(), replica()]);
    const created = () => replicas.filter(({ events }) => events.some((event) => event.startsWith('RootCreated')));
    // Its watch may tell a replica of what it creates before the answer does.
    await waitUntil('one that created it', async () => (created().length > 0 ? undefined : 'there is none'));
    expect(created()).toHaveLength(1);
    expect(new Set(replicas.map(({ authority }) => authority.generation)).size).toBe(1);
    await agree(replicas[0] as RootReplica, replicas[2] as RootReplica);
  });

  test('the deletion of its Secret', async () => {
    const leader = await replica();
    const { generation } = leader.authority;
    await api.delete(SECRET, own());
    await hears(leader, 'RootRestored');
    expect(readOwnRoot(await readCa(), Date.now()).phase).toBe('Stable');
    const later = await replica();
    expect(later.authority.generation).toBe(generation);
  });

  test('a Secret that is half written, with and without somebody who remembers it', async () => {
    const leader = await replica();
    const { generation, trustBundle } = leader.authority;
    const half = { data: { 'ca-key.pem': null } };
    await api.patch(SECRET, own(), 'merge', half);
    await hears(leader, 'RootRestored');
    expect(leader.authority.generation).toBe(generation);
    await leader.stop();
    running.splice(0);
    await api.patch(SECRET, own(), 'merge', half);
    const later = await replica();
    expect(later.events.find((event) => event.startsWith('RootReplaced'))).toContain('Secret heddle-ca: ca-key.pem');
    expect(later.authority.trustBundle).toContain(trustBundle.trim());
  });

  test('a key that does not belong to its certificate', async () => {
    const leader = await replica();
    const { generation } = leader.authority;
    const other = renderRoot(firstState(await newRoot(QUICK, Date.now()), Date.now()));
    await api.patch(SECRET, own(), 'merge', { data: { 'ca-key.pem': other.data['ca-key.pem'] } });
    await hears(leader, 'RootRestored');
    expect(leader.events.at(-1)).toContain('ca-cert.pem and ca-key.pem do not belong together');
    expect(leader.authority.generation).toBe(generation);
  });

  test('a root that has expired', async () => {
    const then = Date.now() - 3_600_000;
    const { data, annotations } = renderRoot(firstState(await newRoot({ ...QUICK, rootMs: 60_000 }, then), then));
    const known = JSON.parse(JSON.stringify(annotations)) as Record<string, string>;
    await api.create<CaSecret>(SECRET, { metadata: { ...own(), annotations: known }, data });
    const leader = await replica();
    expect(leader.events[0]).toMatch(
      /^RootReplaced: Secret heddle-ca: ca-cert.pem expired at .*; replaced by a new root$/,
    );
    await agree(leader, await replica());
  });

  test('an intermediate that has expired', async () => {
    const leader = await replica({ lifetimes: { ...QUICK, intermediateMs: 2500 } });
    const until = leader.authority.signerExpiresAt ?? 0;
    await eventually(() => Date.now() > until, 'its end', SOON_MS);
    const issued = await leader.authority.issue({ ...WORKLOAD, lifetimeMs: 60_000 });
    expect(issued.expiresAt).toBeGreaterThan(Date.now());
  });

  test.each([-3_600_000, 3_600_000])('a clock that is off by %i ms', async (skewMs) => {
    const skewed = await replica({ skewMs });
    const right = await replica();
    expect(right.authority.generation).toBe(skewed.authority.generation);
    await agree(right, skewed);
  });

  test('changes that a replica saw nothing of', async () => {
    const [leader, blind] = await Promise.all([replica(), replica()]);
    blind.lookAway();
    await api.delete(SECRET, own());
    await hears(leader, 'RootRestored');
    await api.create<TrustRotation>(TRUST_ROTATION, { metadata: { name: 'unseen' }, spec: { abort: false } });
    const before = leader.authority.generation;
    await eventually(() => leader.authority.generation !== before, 'a rotation', SOON_MS);
    blind.see();
    await eventually(() => blind.authority.generation === leader.authority.generation, 'what it missed', 30_000);
    await agree(leader, blind);
  });
});

describe('the Secret cacerts at a real API server', () => {
  test('that is refused leaves the last good one in use, and is taken over when it is mended', async () => {
    const { root, signing } = await foreignAuthority();
    const other = await foreignAuthority();
    const good = userSecret(root, signing);
    const metadata = { namespace: namespace.name, name: 'cacerts' };
    await api.create(SECRET, { ...good, metadata });
    const leader = await replica();
    const { generation } = leader.authority;
    const wrong = userSecret(root, { certificate: signing.certificate, privateKey: other.signing.privateKey });
    await api.update(SECRET, { ...wrong, metadata });
    await hears(leader, 'RootRefused');
    expect(leader.events.at(-1)).toContain(
      'Secret cacerts: ca-cert.pem and ca-key.pem do not belong together; write both',
    );
    expect(leader.authority.generation).toBe(generation);
    await api.update(SECRET, { ...userSecret(other.root, other.signing), metadata });
    await eventually(() => leader.authority.trustBundle === other.root.toString(), 'the other CA', SOON_MS);
  });
});

describe('a TrustRotation at a real API server', () => {
  test('is shown by kubectl from phase to phase, with the expiry of both roots', async () => {
    const leader = await replica();
    await kubectl.run(['create', '-f', '-'], {
      input: JSON.stringify({ apiVersion: 'heddle.dev/v1alpha1', kind: 'TrustRotation', metadata: { name: 'now' } }),
    });
    await kubectl.run(['wait', 'trustrotation/now', '--for=condition=Complete', '--timeout=20s']);
    const [header = '', line = ''] = (await kubectl.run(['get', 'trustrotation', 'now'])).split('\n');
    expect(header.split(/ {2,}/)).toEqual([
      ...['NAME', 'PHASE', 'PROGRESS', 'OLD ROOT EXPIRES', 'NEW ROOT EXPIRES', 'MESSAGE', 'AGE'],
    ]);
    expect(line).toMatch(
      /^now +Complete +0 of 0 proxies +\d{4}-\d\d-\d\dT[\d:]+Z +\d{4}-\d\d-\d\dT[\d:]+Z +the new root alone is trusted/,
    );
    const events = leader.events.map((event) => event.split(':')[0]).filter((reason) => reason?.startsWith('Rotation'));
    expect(events).toEqual(['RotationDistributing', 'RotationIssuing', 'RotationRetiring', 'RotationComplete']);
    // And the root that signs has one from the beginning.
    await waitUntil('the record of the first root', async () => {
      const names = await kubectl.run(['get', 'trustrotations', '-o', 'name']);
      return /root-[0-9a-f]{8}/.test(names) ? undefined : names;
    });
  });

  test('with a field that it does not know, or a wrong one, is refused', async () => {
    const admit = async (spec: object) => {
      const object = { apiVersion: 'heddle.dev/v1alpha1', kind: 'TrustRotation', metadata: { name: 'x' }, spec };
      const { stderr } = await kubectl.try(['create', '--dry-run=server', '-f', '-'], {
        input: JSON.stringify(object),
      });
      return stderr;
    };
    expect(await admit({ abort: 'yes' })).toContain('spec.abort');
    expect(await admit({ force: true })).toContain('unknown field "spec.force"');
  });
});
