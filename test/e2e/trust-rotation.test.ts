import { describe, expect } from '@jest/globals';
import type { TrustRotation, TrustRotationPhase } from '../../api/trust-rotation.ts';
import { waitFor, waitUntil } from '../../hack/mesh/wait.ts';
import { ROOT_SECRET, WORKLOAD_SECRET } from '../../proxy/names.ts';
import { heddle, where } from './support/heddle-command.ts';
import { withQuickKubelet } from './support/kubelet.ts';
import { clusterSetup, clusterTest, useNamespace } from './support/namespace.ts';
import { killReplica, leader, scaleOperator } from './support/operator-replicas.ts';
import { withLifetimes } from './support/operator-settings.ts';
import { Client } from './support/testbed-client.ts';
import { client, server } from './support/testbed-objects.ts';
import { testbedPods } from './support/testbed-pods.ts';

const mesh = useNamespace('rotation');
const inside = new Client(mesh, 'deployment/caller');
/** Two of the server, and the caller. */
const PROXIES = 3;

clusterSetup([mesh], async () => {
  await mesh.apply(...server('echo', { replicas: 2 }), ...client('caller'));
  await Promise.all([mesh.rolledOut('echo'), mesh.rolledOut('caller')]);
});

/** Sends requests, each over a new connection from the application, until some work is done: none may fail. @throws {Error} from the work */
async function underLoad(work: () => Promise<void>): Promise<void> {
  const [{ sent, failures }] = await inside.loadDuring('http://echo/', { rate: 50, keepAlive: false }, () =>
    withQuickKubelet(mesh.kubectl, mesh.name, work),
  );
  expect(failures).toEqual({});
  expect(sent).toBeGreaterThan(0);
}

const nameOf = (suffix: string): string => `${mesh.name}-${suffix}`;

async function rotate(suffix: string): Promise<void> {
  const rotation = { apiVersion: 'heddle.dev/v1alpha1', kind: 'TrustRotation', metadata: { name: nameOf(suffix) } };
  await mesh.kubectl.run(['create', '-f', '-'], { input: JSON.stringify(rotation) });
}

/** The same as a person does it, to its end. */
async function rotateByCommand(suffix: string): Promise<void> {
  const before = await heldCertificates();
  const { code, stdout, stderr } = await heddle('cert', 'rotate', nameOf(suffix), ...where);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^TrustRotation \S+: is begun\n(\d\d:\d\d:\d\d {2}.*\n)+\d\d:\d\d:\d\d {2}Complete: .*\n$/);
  expect(stdout).toMatch(/ {2}Distributing \(\d+ of \d+ proxies\): /);
  await waitUntil('new certificates, and the new root alone', async () => {
    const after = await heldCertificates();
    const isNew = after.map(({ pod, own, trusted: [root, ...others] }, index) => {
      const old = before[index];
      const known = [old?.own, ...(old?.trusted ?? []), undefined];
      return old?.pod === pod && others.length === 0 && !known.includes(own) && !known.includes(root);
    });
    return isNew.length === PROXIES && isNew.every(Boolean) ? undefined : JSON.stringify({ before, after });
  });
}

interface Held {
  readonly pod: string;
  readonly own: string | undefined;
  readonly trusted: readonly string[];
}

/** Serial numbers of what each sidecar of the test has at this moment: the first certificate of its own chain, and the roots that it trusts. */
async function heldCertificates(): Promise<Held[]> {
  const pods = [...(await testbedPods(mesh, 'app=echo')), ...(await testbedPods(mesh, 'app=caller'))];
  return Promise.all(
    pods.map(async ({ name }) => {
      const { stdout } = await heddle('proxy', 'config', name, 'secrets', '-n', mesh.name, '-o', 'json', ...where);
      const held = JSON.parse(stdout) as { resource: string; serial: string }[];
      const own = held.find(({ resource }) => resource === WORKLOAD_SECRET);
      const trusted = held.filter(({ resource }) => resource === ROOT_SECRET).map(({ serial }) => serial);
      return { pod: name, own: own?.serial, trusted };
    }),
  );
}

async function reaches(suffix: string, phase: TrustRotationPhase): Promise<TrustRotation> {
  const probe = async (): Promise<TrustRotation> => {
    const found = await mesh.kubectl.json<TrustRotation>(['get', 'trustrotation', nameOf(suffix)]);
    if (found.status?.phase === phase) return found;
    throw new Error(`${found.status?.phase}: ${found.status?.conditions?.[0]?.message}`);
  };
  return waitFor(`TrustRotation ${suffix} to be ${phase}`, probe, { timeoutMs: 300_000 });
}

describe('a TrustRotation on a cluster', () => {
  clusterTest(
    'three times in a row, once by the command line, once with its leader killed, and once aborted while it issues, loses no request and counts every proxy',
    [mesh],
    async () => {
      // Certificates of a new signer are given out over a tenth of their life, but for those that live for long.
      const restore = await withLifetimes(mesh.kubectl, { trustPropagation: '5s', workloadLifetime: '100s' });
      try {
        await scaleOperator(mesh.kubectl, 2);
        await underLoad(async () => {
          for (const suffix of ['first', 'second', 'third']) {
            if (suffix === 'first') await rotateByCommand(suffix);
            else await rotate(suffix);
            if (suffix === 'second') {
              await reaches(suffix, 'Issuing');
              await killReplica(mesh.kubectl, await leader(mesh.kubectl));
            }
            const { status } = await reaches(suffix, 'Complete');
            // And those of the cluster's other tests.
            expect(status?.proxiesTotal).toBeGreaterThanOrEqual(PROXIES);
            expect(status?.proxiesDone).toBe(status?.proxiesTotal);
            expect(status?.newRoot?.fingerprint).not.toBe(status?.oldRoot?.fingerprint);
          }
        });
        await underLoad(async () => {
          await rotate('aborted');
          await reaches('aborted', 'Issuing');
          const patch = ['patch', 'trustrotation', nameOf('aborted'), '--type=merge', '-p', '{"spec":{"abort":true}}'];
          await mesh.kubectl.run(patch);
          const { status } = await reaches('aborted', 'Aborted');
          const third = await reaches('third', 'Complete');
          expect(status?.oldRoot?.fingerprint).toBe(third.status?.newRoot?.fingerprint);
        });
        const listed = await mesh.kubectl.run(['get', 'trustrotations']);
        expect(listed).toMatch(/PHASE +PROGRESS +OLD ROOT EXPIRES +NEW ROOT EXPIRES +MESSAGE +AGE/);
      } finally {
        await mesh.kubectl.run(['delete', 'trustrotation', ...['first', 'second', 'third', 'aborted'].map(nameOf)]);
        await scaleOperator(mesh.kubectl, 1);
        await restore();
      }
    },
    1_500_000,
  );
});
