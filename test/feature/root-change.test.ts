import { afterEach, describe, expect, test } from '@jest/globals';
import { NAMESPACE, SECRET, TRUST_ROTATION } from '../../kube/kinds.ts';
import { silentLogger } from '../../kube/logger.ts';
import type { KubeObject } from '../../kube/object.ts';
import { Reflector } from '../../kube/reflector.ts';
import { eventually, MemoryApi } from '../../kube/testing/memory-api.ts';
import type { IssuedCertificate } from '../../operator/certificates/authority.ts';
import type { Lifetimes } from '../../operator/certificates/lifetimes.ts';
import { trustVersion } from '../../operator/certificates/secret-resource.ts';
import { type Certificates, startCertificates } from '../../operator/certificates/start.ts';
import { foreignAuthority, SHORT, userSecret } from '../../operator/certificates/testing/chain.ts';
import { handshake } from '../../operator/certificates/testing/handshake.ts';
import type { ProxyTrust } from '../../operator/certificates/trust-survey.ts';

const LIFETIMES: Lifetimes = { ...SHORT, workloadMs: 2000, propagationMs: 600 };
const USER = { namespace: 'heddle-system', name: 'cacerts' };
const WORKLOAD = { names: [{ uri: 'spiffe://cluster.local/ns/a/sa/a' }], usage: ['serverAuth', 'clientAuth'] } as const;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A mesh's control plane, with all certificates that it issued to the proxies of its tests. */
interface Mesh extends Certificates {
  readonly issued: IssuedCertificate[];
  readonly bundles: ReturnType<typeof heldBundles>;
}

async function leader(api: MemoryApi): Promise<Mesh> {
  const namespaces = new Reflector<KubeObject>({ api, kind: NAMESPACE, backoffMs: [1, 5] });
  await namespaces.start();
  const certificates = startCertificates({
    api,
    namespace: 'heddle-system',
    lifetimes: LIFETIMES,
    namespaces: namespaces.store,
    destinationRules: { list: () => [].values() },
    trustDomain: 'cluster.local',
    clusterDomain: 'cluster.local',
    events: { record: () => {} },
    proxies: {
      proxies: () => reported(mesh),
      whole: () => true,
      onChange: (listener) => {
        const timer = setInterval(listener, 20);
        return () => clearInterval(timer);
      },
    },
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
  const mesh: Mesh = { ...certificates, issued: [], bundles: heldBundles(certificates) };
  cleanups.push(mesh.bundles.end);
  return mesh;
}

/** As many proxies as there are certificates in use and bundles that somebody has still: the worst that could be reported. */
function* reported({ issued, bundles, authority }: Mesh): Iterable<ProxyTrust> {
  const held = [...bundles.list()].filter(([, isHeld]) => isHeld()).map(([pem]) => trustVersion(pem));
  for (const { generation } of issued.filter(isAlive)) {
    for (const bundle of held) yield { pod: 'shop/any', connected: true, generation, bundle };
  }
  if (issued.length === 0) yield { pod: 'shop/new', connected: true, bundle: trustVersion(authority.trustBundle) };
}

/** Who held the bundle before a change has heard of it after so long: less than the propagation that the authority waits for at least. */
const HEARD_MS = 500;

/** The bundles that a proxy may hold: the current one, and one before it until the change has reached every proxy. */
function heldBundles({ authority }: Certificates): { list: () => Map<string, () => boolean>; end: () => void } {
  const ends = new Map([[authority.trustBundle, Number.POSITIVE_INFINITY]]);
  // Noted as it happens: who looked only now and then would think old bundles alive for longer on a busy machine.
  const end = authority.onChange(() => {
    const until = performance.now() + HEARD_MS;
    for (const [pem, old] of ends) ends.set(pem, Math.min(old, until));
    ends.set(authority.trustBundle, Number.POSITIVE_INFINITY);
  });
  const list = () => new Map([...ends.keys()].map((pem) => [pem, () => (ends.get(pem) ?? 0) > performance.now()]));
  return { list, end };
}

/**
 * What the proxies of a mesh may hold at a moment: a certificate as old as its life, and a bundle as old as its
 * propagation. Every pair shakes hands, both ways, for as long as it is told.
 */
async function meshHolds(mesh: Mesh, forMs: number): Promise<void> {
  const { issued, bundles } = mesh;
  let shaken = 0;
  const end = performance.now() + forMs;
  while (performance.now() < end) {
    issued.push(await mesh.authority.issue({ ...WORKLOAD, lifetimeMs: LIFETIMES.workloadMs }));
    const alive = issued.filter(isAlive);
    // The oldest and the newest of each signer are enough: those between are like them.
    const held = [...Map.groupBy(alive, ({ generation }) => generation).values()].flatMap((group) => [
      group[0] as IssuedCertificate,
      group.at(-1) as IssuedCertificate,
    ]);
    for (const [roots, isHeld] of bundles.list()) {
      for (const one of held) for (const other of held) shaken += await shakeWhileHeld(one, other, roots, isHeld);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(shaken).toBeGreaterThan(20);
}

function isAlive({ expiresAt }: IssuedCertificate): boolean {
  return expiresAt > Date.now();
}

/** Gives 1 for a handshake that came about. A refusal counts while all that was shown is still held: a handshake takes its time, and what expired in it may be refused. */
async function shakeWhileHeld(
  one: IssuedCertificate,
  other: IssuedCertificate,
  roots: string,
  isHeld: () => boolean,
): Promise<0 | 1> {
  const counts = () => isHeld() && isAlive(one) && isAlive(other);
  if (!counts()) return 0;
  try {
    await handshake(one, other, roots);
    return 1;
  } catch (error) {
    if (counts()) throw error;
    return 0;
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
