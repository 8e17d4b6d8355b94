import { afterEach, describe, expect, test } from '@jest/globals';
import { NAMESPACE, SECRET, TRUST_ROTATION } from '../../kube/kinds.ts';
import { silentLogger } from '../../kube/logger.ts';
import type { KubeObject } from '../../kube/object.ts';
import { Reflector } from '../../kube/reflector.ts';
import { eventually, MemoryApi } from '../../kube/testing/memory-api.ts';
import type { Lifetimes } from '../../operator/certificates/lifetimes.ts';
import { type Certificates, startCertificates } from '../../operator/certificates/start.ts';
import { foreignAuthority, SHORT, userSecret } from '../../operator/certificates/testing/chain.ts';
import { HeldTrust } from './support/held-trust.ts';

const LIFETIMES: Lifetimes = { ...SHORT, workloadMs: 2000, propagationMs: 600 };
const USER = { namespace: 'heddle-system', name: 'cacerts' };

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A mesh's control plane, with all that the proxies of its tests hold. */
interface Mesh extends Certificates {
  readonly held: HeldTrust;
}

async function leader(api: MemoryApi): Promise<Mesh> {
  const namespaces = new Reflector<KubeObject>({ api, kind: NAMESPACE, backoffMs: [1, 5] });
  await namespaces.start();
  let held: HeldTrust | undefined;
  const certificates = startCertificates({
    api,
    namespace: 'heddle-system',
    lifetimes: LIFETIMES,
    namespaces: namespaces.store,
    destinationRules: { list: () => [].values() },
    trustDomain: 'cluster.local',
    clusterDomain: 'cluster.local',
    events: { record: () => {} },
    proxies: HeldTrust.proxies(() => held),
    logger: silentLogger,
  });
  const abort = new AbortController();
  certificates.lead(abort.signal);
  cleanups.push(
    () => namespaces.stop(),
    () => certificates.stop(),
    () => abort.abort(),
  );
  await eventually(() => certificates.authority.state !== undefined);
  held = new HeldTrust(certificates.authority, LIFETIMES.workloadMs);
  cleanups.push(() => held?.end());
  return { ...certificates, held };
}

/** Shakes hands with all that its proxies may hold, for as long as it is told. */
async function meshHolds({ held }: Mesh, forMs: number): Promise<void> {
  const end = performance.now() + forMs;
  expect(await held.shakeUntil(() => performance.now() >= end)).toBeGreaterThan(20);
}

describe('the mesh holds together when the root changes', () => {
  test("from our own to the user's, and the user's signs in the end", async () => {
    const api = new MemoryApi();
    const mesh = await leader(api);
    const before = mesh.authority.generation;
    const load = meshHolds(mesh, 4500);
    const { root, signing } = await foreignAuthority();
    await new Promise((resolve) => setTimeout(resolve, 300));
    await api.create(SECRET, userSecret(root, signing));
    await eventually(() => mesh.authority.trustBundle.includes(root.toString()));
    expect(mesh.authority.generation).toBe(before);
    await eventually(() => mesh.authority.state?.origin === 'cacerts');
    await load;
  }, 15_000);

  test("from the user's to our own, when somebody asks for it, and the user's is trusted no more in the end", async () => {
    const api = new MemoryApi();
    const { root, signing } = await foreignAuthority();
    await api.create(SECRET, userSecret(root, signing));
    const mesh = await leader(api);
    const before = mesh.authority.generation;
    const load = meshHolds(mesh, 6500);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await api.delete(SECRET, USER);
    await api.create(TRUST_ROTATION, { metadata: { name: 'to-our-own' } });
    await eventually(() => (mesh.authority.state?.roots.length ?? 0) > 1);
    expect(mesh.authority.generation).toBe(before);
    await eventually(() => mesh.authority.state?.origin === 'Heddle');
    await load;
    await eventually(() => !mesh.authority.trustBundle.includes(root.toString()));
    await eventually(() => mesh.authority.state?.phase === 'Stable');
  }, 15_000);

  test("from one user's CA to another's", async () => {
    const api = new MemoryApi();
    const [one, other] = await Promise.all([foreignAuthority(), foreignAuthority()]);
    await api.create(SECRET, userSecret(one.root, one.signing));
    const mesh = await leader(api);
    const load = meshHolds(mesh, 4500);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await api.update(SECRET, userSecret(other.root, other.signing));
    await load;
    await eventually(() => mesh.authority.trustBundle === other.root.toString());
  }, 15_000);

  test("when our own Secret is deleted soon after the user's took over", async () => {
    const api = new MemoryApi();
    const mesh = await leader(api);
    const load = meshHolds(mesh, 4500);
    const { root, signing } = await foreignAuthority();
    await api.create(SECRET, userSecret(root, signing));
    await eventually(() => mesh.authority.state?.origin === 'cacerts');
    await api.delete(SECRET, { namespace: 'heddle-system', name: 'heddle-ca' });
    await load;
    await eventually(() => mesh.authority.trustBundle === root.toString());
  }, 15_000);
});
