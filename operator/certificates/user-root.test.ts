import { afterEach, describe, expect, test } from '@jest/globals';
import { SECRET, TRUST_ROTATION } from '../../kube/kinds.ts';
import { eventually, MemoryApi } from '../../kube/testing/memory-api.ts';
import type { CaSecret } from './ca-secret.ts';
import { makeIntermediate } from './certificate.ts';
import { makeKeyPair } from './key-pair.ts';
import { newRoot } from './root-rotation.ts';
import { certManagerSecret, SHORT, userSecret } from './testing/chain.ts';
import { ask, Proxies, phase, startLeader, until } from './testing/leader.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const leader = (api: MemoryApi, proxies = new Proxies()) => startLeader(api, proxies, cleanups);

/** A CA that somebody else keeps: its root can sign more than one. */
async function corporate() {
  const root = await newRoot({ ...SHORT, rootMs: 3_600_000 }, Date.now());
  const sign = async (notBefore = Date.now() - 1000, notAfter = Date.now() + 1_800_000) => {
    const { publicKey, privateKey } = await makeKeyPair();
    const request = {
      notBefore,
      notAfter,
      commonName: 'Mesh CA',
      publicKey,
      pathLength: 0,
    };
    return { certificate: await makeIntermediate(request, root.signing), privateKey };
  };
  return { root: root.signing.certificate, sign };
}

describe('the user’s CA', () => {
  const USER = { namespace: 'heddle-system', name: 'cacerts' };

  test('is rotated to when it comes, by a TrustRotation that nobody had to make', async () => {
    const api = new MemoryApi();
    const proxies = new Proxies();
    const mesh = await leader(api, proxies);
    proxies.take(0, mesh);
    const { generation: old, state } = mesh.authority;
    const { root, sign } = await corporate();
    await api.create(SECRET, userSecret(root, await sign()));
    const name = `cacerts-${old.slice(0, 8)}-${(state?.since ?? 0).toString(36)}`;
    const begun = await until(api, name, phase('Distributing'));
    expect(begun.newRoot).toMatchObject({ source: 'Secret cacerts' });
    expect([mesh.authority.generation, mesh.authority.state?.roots.length]).toEqual([old, 2]);
    const timer = setInterval(() => proxies.take(0, mesh), 10);
    cleanups.push(() => clearInterval(timer));
    await until(api, name, phase('Complete'));
    await eventually(() => mesh.authority.trustBundle === root.toString());
  });

  test('under the same root is taken over at once: cert-manager renews it, and everybody trusts it already', async () => {
    const api = new MemoryApi();
    const { root, sign } = await corporate();
    await api.create(SECRET, certManagerSecret(root, await sign()));
    const mesh = await leader(api);
    const { generation } = mesh.authority;
    const renewed = await sign();
    await api.update(SECRET, certManagerSecret(root, renewed));
    await eventually(() => mesh.authority.generation !== generation);
    expect(mesh.authority.state?.signing.certificate.fingerprint256).toBe(renewed.certificate.fingerprint256);
    expect(mesh.events.some((event) => event.includes('SignerReplaced'))).toBe(true);
    expect(api.writes.filter((write) => write.startsWith('create TrustRotation cacerts'))).toEqual([]);
  });

  test('half written, or with another key, leaves the last good one, and an event names Secret, key and fix', async () => {
    const api = new MemoryApi();
    const { root, sign } = await corporate();
    const [good, other] = [await sign(), await sign()];
    await api.create(SECRET, userSecret(root, good));
    const mesh = await leader(api);
    const { generation } = mesh.authority;
    await api.update(SECRET, userSecret(root, { certificate: other.certificate, privateKey: good.privateKey }));
    const refused =
      'Secret RootRefused: Secret cacerts: ca-cert.pem and ca-key.pem do not belong together; write both of one CA at once; ' +
      'the last valid root stays in use';
    await eventually(() => mesh.events.includes(refused));
    expect(mesh.authority.generation).toBe(generation);
    // And whoever asks for a rotation meanwhile hears the same.
    await ask(api, 'now');
    expect((await until(api, 'now', phase('Pending'))).message).toContain('do not belong together');
    await api.update(SECRET, userSecret(root, other));
    await eventually(() => mesh.authority.generation !== generation);
    expect((await until(api, 'now', phase('Refused'))).message).toContain('holds what signs already');
  });

  test('issued by a clock ahead of ours is taken over as soon as ours is there, without another word', async () => {
    const api = new MemoryApi();
    const { root, sign } = await corporate();
    await api.create(SECRET, userSecret(root, await sign()));
    const mesh = await leader(api);
    const ahead = await sign(Date.now() + 3000);
    await api.update(SECRET, userSecret(root, ahead));
    await eventually(() => mesh.events.some((event) => /RootRefused: .* is valid from .* on only/.test(event)));
    const { fingerprint256 } = ahead.certificate;
    const isTaken = () => mesh.authority.state?.signing.certificate.fingerprint256 === fingerprint256;
    expect(isTaken()).toBe(false);
    await eventually(isTaken, 'the CA', 8000);
  }, 15_000);

  test('with a fifth of its life left is warned of, with the time of its end, at the Secret', async () => {
    const api = new MemoryApi();
    const { root, sign } = await corporate();
    const now = Date.now();
    const aging = await sign(now - 900_000, now + 200_000);
    await api.create(SECRET, userSecret(root, aging));
    const mesh = await leader(api);
    const end = aging.certificate.validToDate.toISOString().replace('.000', '');
    const fix = 'replace it in the Secret cacerts, or create a TrustRotation';
    await eventually(() => mesh.events.includes(`Secret RootExpires: its CA expires at ${end}; ${fix}`));
  });

  test('that is deleted stays in use, and a warning says what can be done', async () => {
    const api = new MemoryApi();
    const { root, sign } = await corporate();
    await api.create(SECRET, userSecret(root, await sign()));
    const mesh = await leader(api);
    await api.delete(SECRET, USER);
    await eventually(() => mesh.events.some((event) => event.includes('UserRootGone')));
    expect(mesh.authority.trustBundle).toBe(root.toString());
    await ask(api, 'now');
    await until(api, 'now', phase('Complete'));
    await eventually(
      () => mesh.authority.state?.origin === 'Heddle' && !mesh.authority.trustBundle.includes(root.toString()),
    );
  });

  test('is not rotated to again when that was aborted, until it is another', async () => {
    const api = new MemoryApi();
    const proxies = new Proxies();
    const mesh = await leader(api, proxies);
    proxies.take(0, mesh);
    const [one, other] = [await corporate(), await corporate()];
    await api.create(SECRET, userSecret(one.root, await one.sign()));
    await eventually(() => mesh.authority.state?.phase === 'Distributing');
    const { rotation } = mesh.authority.state ?? {};
    await api.patch(TRUST_ROTATION, { name: rotation?.name ?? '' }, 'merge', { spec: { abort: true } });
    await eventually(() => mesh.authority.state?.phase === 'Stable');
    await until(api, rotation?.name ?? '', phase('Aborted'));
    const secret = await api.get<CaSecret>(SECRET, USER);
    await api.update(SECRET, { ...secret, metadata: { ...secret.metadata, labels: { touched: 'yes' } } });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(mesh.authority.state?.phase).toBe('Stable');
    await api.update(SECRET, userSecret(other.root, await other.sign()));
    await eventually(() => mesh.authority.state?.phase === 'Distributing');
  });
});
