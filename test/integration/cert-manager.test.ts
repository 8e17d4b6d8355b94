import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { inTree } from '../../hack/mesh/install.ts';
import { waitFor } from '../../hack/mesh/wait.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { eventually } from '../../kube/testing/memory-api.ts';
import { joinCertificates } from '../../operator/certificates/pem.ts';
import { testKubectl } from '../e2e/support/cluster.ts';
import { TestNamespace } from '../e2e/support/namespace.ts';
import { HeldTrust } from '../feature/support/held-trust.ts';
import { useCertManager } from './support/cert-manager.ts';
import { established } from './support/established.ts';
import { type KeptCa, keptCa, renew } from './support/kept-ca.ts';
import { useNoOperator } from './support/no-operator.ts';
import { QUICK, RootReplica } from './support/root-replica.ts';
import { testApi } from './support/test-api.ts';

const kubectl = testKubectl();
const certManager = useCertManager(kubectl);
useNoOperator(kubectl);
const SOON_MS = 40_000;
/** Short, so that a rotation that goes on too early leaves certificates behind that nobody trusts. */
const LIFETIMES = { ...QUICK, workloadMs: 2000, propagationMs: 600 };

let api: KubeApi;
let namespace: TestNamespace;
const cleanups: (() => unknown)[] = [];

beforeAll(async () => {
  api = testApi();
  await kubectl.run(['apply', '-k', inTree('manifests/base/crds')]);
  await established(kubectl, ['trustrotations.heddle.dev']);
}, 60_000);

beforeEach(async () => {
  namespace = new TestNamespace('kept', {});
  await namespace.create();
  await kubectl.run(['delete', 'trustrotations', '--all']);
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await namespace.delete();
});

afterAll(async () => {
  await kubectl.run(['delete', 'trustrotations', '--all']);
  api.close();
});

/** What of the operator has to do with the root, and the proxies that it issued certificates to. */
interface Mesh {
  readonly replica: RootReplica;
  /** Ends the load; throws where a handshake was refused that should not be. */
  readonly settle: () => Promise<void>;
}

/** Starts a mesh whose proxies shake hands, each with each, from now on. */
async function startMesh(): Promise<Mesh> {
  let held: HeldTrust | undefined;
  const proxies = HeldTrust.proxies(() => held);
  const replica = new RootReplica({ api, namespace: namespace.name, lifetimes: LIFETIMES, proxies });
  cleanups.push(() => replica.stop());
  await replica.start();
  await eventually(() => replica.authority.state !== undefined, 'a root', SOON_MS);
  held = new HeldTrust(replica.authority, LIFETIMES.workloadMs);
  let isOver = false;
  const load = held.shakeUntil(() => isOver);
  load.catch(() => undefined);
  cleanups.push(() => {
    isOver = true;
    held?.end();
    return load.catch(() => undefined);
  });
  const settle = async (): Promise<void> => {
    isOver = true;
    expect(await load).toBeGreaterThan(20);
  };
  return { replica, settle };
}

const cacerts = (): Promise<KeptCa> => keptCa(api, namespace.name, 'cacerts');

/** Waits until cert-manager has written another CA than this into the Secret. */
const another = (than?: KeptCa): Promise<KeptCa> =>
  waitFor('another CA', async () => {
    const ca = await cacerts();
    return ca.certificate === than?.certificate ? undefined : ca;
  });

/** Waits until the mesh signs with a CA, and trusts nothing but the root above it. */
const signs = ({ replica: { authority } }: Mesh, ca: KeptCa): Promise<void> =>
  eventually(
    () =>
      authority.state?.phase === 'Stable' &&
      authority.state.signing.certificate.toString() === ca.certificate &&
      authority.trustBundle === ca.root,
    'the CA of cert-manager alone',
    SOON_MS,
  );

const reasons = ({ replica }: Mesh): (string | undefined)[] => replica.events.map((event) => event.split(':')[0]);
const hears = (mesh: Mesh, text: string): Promise<void> =>
  eventually(() => mesh.replica.events.some((event) => event.includes(text)), text, SOON_MS);

const certificate = (name: string, issuer: object, spec: object = {}): object => ({
  apiVersion: 'cert-manager.io/v1',
  kind: 'Certificate',
  metadata: { name },
  spec: { secretName: name, commonName: `The CA ${name}`, isCA: true, issuerRef: issuer, ...spec },
});

const issuer = (name: string, spec: object): object => ({
  apiVersion: 'cert-manager.io/v1',
  kind: 'Issuer',
  metadata: { name },
  spec,
});

const SELF = { name: 'self' };
const selfSigned = (spec: object = {}): object[] => [
  issuer('self', { selfSigned: {} }),
  certificate('cacerts', SELF, spec),
];

describe('a CA that the real cert-manager keeps', () => {
  test('as in the sample signs, and its renewals with another key and with the same one cost nobody trust', async () => {
    const sample = await readFile(inTree('config/samples/security/cacerts.yaml'), 'utf8');
    await kubectl.apply(sample.replaceAll('namespace: heddle-system', `namespace: ${namespace.name}`));
    const first = await another();
    const mesh = await startMesh();
    await signs(mesh, first);
    expect(first.root).toBe(first.certificate);

    await renew(namespace, 'cacerts');
    const second = await another(first);
    expect(second.publicKey).not.toBe(first.publicKey);
    await signs(mesh, second);

    const never = JSON.stringify({ spec: { privateKey: { rotationPolicy: 'Never' } } });
    await namespace.run('patch', 'certificate', 'cacerts', '--type=merge', '-p', never);
    await renew(namespace, 'cacerts');
    const third = await another(second);
    expect(third.publicKey).toBe(second.publicKey);
    await signs(mesh, third);
    await mesh.settle();
    expect(reasons(mesh).filter((reason) => reason === 'RotationComplete')).toHaveLength(2);
  }, 120_000);

  test('under a root of its own is renewed without a rotation, and with one where that root is another', async () => {
    const above = { kind: 'ClusterIssuer', name: namespace.name };
    const cluster = { ...issuer(above.name, { selfSigned: {} }), kind: 'ClusterIssuer' };
    cleanups.push(() => kubectl.run(['delete', 'clusterissuer', above.name]));
    await namespace.apply(
      cluster,
      certificate('corporate', above),
      issuer('corporate', { ca: { secretName: 'corporate' } }),
    );
    await namespace.apply(certificate('cacerts', { name: 'corporate' }));
    const first = await another();
    const mesh = await startMesh();
    await signs(mesh, first);
    expect(first.root).not.toBe(first.certificate);
    expect(joinCertificates(mesh.replica.authority.state?.chain ?? [])).toBe(first.certificate);

    await renew(namespace, 'cacerts');
    const second = await another(first);
    expect(second.root).toBe(first.root);
    await signs(mesh, second);
    expect(reasons(mesh)).toContain('SignerReplaced');
    expect(reasons(mesh)).not.toContain('RotationDistributing');

    const root = await keptCa(api, namespace.name, 'corporate');
    await renew(namespace, 'corporate');
    await waitFor('another root', async () => {
      const { certificate } = await keptCa(api, namespace.name, 'corporate');
      return certificate === root.certificate ? undefined : true;
    });
    await renew(namespace, 'cacerts');
    const third = await another(second);
    expect(third.root).not.toBe(first.root);
    await signs(mesh, third);
    await mesh.settle();
    expect(reasons(mesh)).toContain('RotationComplete');
  }, 120_000);

  test('that is no CA is refused and named, and taken once it is one', async () => {
    const mesh = await startMesh();
    const own = mesh.replica.authority.generation;
    await namespace.apply(...selfSigned({ isCA: false }));
    const wrong = await another();
    await hears(mesh, 'RootRefused: Secret cacerts: tls.crt is no CA certificate; issue it with');
    expect(mesh.replica.authority.generation).toBe(own);
    // A verifier wants what a CA was issued for of all that it signs: clients under this one would be refused.
    await namespace.apply(...selfSigned({ usages: ['cert sign', 'server auth'] }));
    const narrow = await another(wrong);
    await hears(
      mesh,
      'RootRefused: Secret cacerts: tls.crt is limited to other uses than serverAuth and clientAuth; issue',
    );
    expect(mesh.replica.authority.generation).toBe(own);
    await namespace.apply(...selfSigned({ usages: ['cert sign'] }));
    await signs(mesh, await another(narrow));
    await mesh.settle();
  }, 120_000);

  test('whose Secret is deleted signs on until cert-manager has made another, which is rotated to', async () => {
    await namespace.apply(...selfSigned());
    const first = await another();
    const mesh = await startMesh();
    await signs(mesh, first);
    await namespace.run('delete', 'secret', 'cacerts');
    await signs(mesh, await another(first));
    await mesh.settle();
  }, 120_000);

  test('and does not renew in time is warned of, and taken again once it is renewed', async () => {
    await namespace.apply(...selfSigned({ duration: '20s', renewBefore: '1s' }));
    const first = await another();
    await certManager.get().stop();
    const mesh = await startMesh();
    await signs(mesh, first);
    await hears(mesh, 'RootExpires: its CA expires at 2');
    await mesh.settle();
    await eventually(() => Date.now() > (mesh.replica.authority.signerExpiresAt ?? 0), 'its end', SOON_MS);
    await certManager.get().start();
    const second = await another(first);
    await eventually(
      () => mesh.replica.authority.state?.signing.certificate.toString() === second.certificate,
      'the CA that was renewed',
      SOON_MS,
    );
  }, 120_000);
});
