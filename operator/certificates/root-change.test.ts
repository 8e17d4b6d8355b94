import { afterEach, describe, expect, test } from '@jest/globals';
import { NAMESPACE, SECRET } from '../../kube/kinds.ts';
import { silentLogger } from '../../kube/logger.ts';
import type { KubeObject } from '../../kube/object.ts';
import { Reflector } from '../../kube/reflector.ts';
import { eventually, MemoryApi } from '../../kube/testing/memory-api.ts';
import type { IssuedCertificate } from './authority.ts';
import type { Lifetimes } from './lifetimes.ts';
import { type CaSecret, readOwnRoot } from './root-state.ts';
import { type Certificates, startCertificates } from './start.ts';
import { foreignAuthority, SHORT, userSecret } from './testing/chain.ts';
import { handshake } from './testing/handshake.ts';

const LIFETIMES: Lifetimes = { ...SHORT, workloadMs: 2000, propagationMs: 600 };
const USER = { namespace: 'heddle-system', name: 'cacerts' };
const WORKLOAD = { names: [{ uri: 'spiffe://cluster.local/ns/a/sa/a' }], usage: ['serverAuth', 'clientAuth'] } as const;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function leader(api: MemoryApi): Promise<Certificates> {
  const namespaces = new Reflector<KubeObject>({ api, kind: NAMESPACE, backoffMs: [1, 5] });
  await namespaces.start();
  const certificates = startCertificates({
    api,
    namespace: 'heddle-system',
    lifetimes: LIFETIMES,
    namespaces: namespaces.store,
    trustDomain: 'cluster.local',
    clusterDomain: 'cluster.local',
    events: { record: () => {} },
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
  return certificates;
}

/**
 * What the proxies of a mesh may hold at a moment: a certificate as old as its life, and a bundle as old as its
 * propagation. Every pair shakes hands, both ways, for as long as it is told.
 */
async function meshHolds({ authority }: Certificates, forMs: number): Promise<void> {
  const issued: IssuedCertificate[] = [];
  const bundles: { pem: string; until: number }[] = [];
  const end = performance.now() + forMs;
  while (performance.now() < end) {
    issued.push(await authority.issue({ ...WORKLOAD, lifetimeMs: LIFETIMES.workloadMs }));
    const pem = authority.trustBundle;
    const now = performance.now();
    for (const bundle of bundles) if (bundle.pem !== pem) bundle.until = Math.min(bundle.until, now + 500);
    if (bundles.at(-1)?.pem !== pem) bundles.push({ pem, until: Number.POSITIVE_INFINITY });
    const alive = issued.filter(({ expiresAt }) => expiresAt > Date.now() + 100);
    // The oldest and the newest of each signer are enough: those between are like them.
    const held = [...Map.groupBy(alive, ({ generation }) => generation).values()].flatMap((group) => [
      group[0] as IssuedCertificate,
      group.at(-1) as IssuedCertificate,
    ]);
    for (const { pem: roots, until } of bundles) {
      if (until < now) continue;
      for (const one of held) for (const other of held) await handshake(one, other, roots);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
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
    await eventually(() => mesh.authority.state?.signsDirectly === true);
    await load;
  }, 15_000);

  test("from the user's to our own, over a restart of the operator too, and the user's is trusted no more in the end", async () => {
    const api = new MemoryApi();
    const { root, signing } = await foreignAuthority();
    await api.create(SECRET, userSecret(root, signing));
    const mesh = await leader(api);
    const before = mesh.authority.generation;
    const load = meshHolds(mesh, 4500);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await api.delete(SECRET, USER);
    await eventually(() => (mesh.authority.state?.roots.length ?? 0) > 1);
    expect(mesh.authority.generation).toBe(before);
    const own = await api.get<CaSecret>(SECRET, { namespace: 'heddle-system', name: 'heddle-ca' });
    const stored = readOwnRoot(own, Date.now());
    expect(stored.phase).toBe('Retiring');
    expect(stored.roots.map(String)).toContain(root.toString());
    await eventually(() => mesh.authority.state?.signsDirectly === false);
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
    await eventually(() => mesh.authority.state?.signsDirectly === true);
    await api.delete(SECRET, { namespace: 'heddle-system', name: 'heddle-ca' });
    await load;
    await eventually(() => mesh.authority.trustBundle === root.toString());
  }, 15_000);
});
