import { afterEach, describe, expect, test } from '@jest/globals';
import { SECRET, TRUST_ROTATION } from '../../kube/kinds.ts';
import type { ListOptions, WatchOptions } from '../../kube/kube-api.ts';
import type { KubeObject, ObjectName } from '../../kube/object.ts';
import type { ResourceKind } from '../../kube/resource-kind.ts';
import { eventually, MemoryApi } from '../../kube/testing/memory-api.ts';
import type { CaSecret } from './ca-secret.ts';
import { ask, Proxies, phase, startLeader, startReplica, statusOf, until } from './testing/leader.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const leader = (api: MemoryApi, proxies = new Proxies()) => startLeader(api, proxies, cleanups);

/** Lists Secrets, and tells of nothing that becomes of them. */
class SlowWatch extends MemoryApi {
  override async *watch<T extends KubeObject>(kind: ResourceKind, options: WatchOptions) {
    if (kind === SECRET) await new Promise((resolve) => options.signal?.addEventListener('abort', resolve));
    yield* super.watch<T>(kind, options);
  }
}

/** Lists TrustRotations as they were before anything became of them, and tells of nothing more. */
class LateRotations extends MemoryApi {
  /** How often it was asked for one of them. */
  looks = 0;
  override async list<T extends KubeObject>(kind: ResourceKind, options: ListOptions = {}) {
    const { items, resourceVersion } = await super.list<T & { status?: object }>(kind, options);
    if (kind !== TRUST_ROTATION) return { items, resourceVersion };
    for (const item of items) delete item.status;
    return { items, resourceVersion };
  }
  override async *watch<T extends KubeObject>(kind: ResourceKind, options: WatchOptions) {
    if (kind === TRUST_ROTATION) await new Promise((resolve) => options.signal?.addEventListener('abort', resolve));
    yield* super.watch<T>(kind, options);
  }
  override get<T extends KubeObject>(kind: ResourceKind, name: ObjectName): Promise<T> {
    if (kind === TRUST_ROTATION) this.looks++;
    return super.get<T>(kind, name);
  }
}

describe('a first root', () => {
  test('that is deleted before the watch has brought it is written again, and no other in its place', async () => {
    const api = new SlowWatch();
    const own = { namespace: 'heddle-system', name: 'heddle-ca' };
    const made = () => api.writes.filter((write) => write === 'create Secret heddle-system/heddle-ca').length;
    const certificate = async () => (await api.get<CaSecret>(SECRET, own)).data?.['ca-cert.pem'];
    const replica = await startReplica(api, new Proxies());
    const abort = new AbortController();
    cleanups.push(
      () => replica.end(),
      () => abort.abort(),
    );
    replica.lead(abort.signal);
    await eventually(() => made() === 1);
    const first = await certificate();
    await api.delete(SECRET, own);
    await eventually(() => made() === 2);
    expect(await certificate()).toBe(first);
    const told = replica.events.filter((event) => event.includes('Root')).map((event) => event.split(':')[0]);
    expect(told).toEqual(['Secret RootCreated', 'Secret RootRestored']);
  });
});

describe('a TrustRotation', () => {
  test('shows phase and progress, and goes on when all proxies have', async () => {
    const api = new MemoryApi();
    const proxies = new Proxies();
    const mesh = await leader(api, proxies);
    proxies.take(0, mesh);
    proxies.take(1, mesh);
    const old = mesh.authority.generation;
    await ask(api, 'now');
    const distributing = await until(api, 'now', ({ progress }) => progress === '0 of 2 proxies');
    expect(distributing).toMatchObject({ phase: 'Distributing', complete: 'False', proxiesDone: 0, proxiesTotal: 2 });
    expect(distributing.message).toBe(
      '0 of 2 proxies trust the new root beside the old one; waits for shop/p0, shop/p1',
    );
    expect(distributing.oldRoot).toMatchObject({ fingerprint: old, source: 'Heddle' });
    proxies.take(0, mesh);
    await until(api, 'now', ({ progress }) => progress === '1 of 2 proxies');
    expect(mesh.authority.generation).toBe(old);
    proxies.take(1, mesh);
    const issuing = await until(api, 'now', phase('Issuing'));
    expect(issuing.newRoot?.fingerprint).toBe(mesh.authority.generation);
    expect(mesh.authority.state?.roots).toHaveLength(2);
    proxies.take(0, mesh);
    await until(api, 'now', ({ message }) => message.includes('1 of 2 proxies have a certificate of the new root'));
    proxies.take(1, mesh);
    const retiring = await until(api, 'now', phase('Retiring'));
    expect(retiring.oldRoot?.fingerprint).toBe(old);
    proxies.take(0, mesh);
    proxies.take(1, mesh);
    const complete = await until(api, 'now', phase('Complete'));
    expect(complete).toMatchObject({
      complete: 'True',
      message: 'the new root alone is trusted',
      progress: '2 of 2 proxies',
    });
    await eventually(() => mesh.authority.state?.phase === 'Stable');
    expect(mesh.authority.state?.roots).toHaveLength(1);
    const said = mesh.events.filter((event) => event.startsWith('TrustRotation')).map((event) => event.split(':')[0]);
    expect(said).toEqual(
      ['Distributing', 'Issuing', 'Retiring', 'Complete'].map((word) => `TrustRotation Rotation${word}`),
    );
  });

  test('shows the first root too, so that somebody can see when it expires', async () => {
    const api = new MemoryApi();
    const mesh = await leader(api);
    const { generation } = mesh.authority;
    const shown = await until(api, `root-${generation.slice(0, 8)}`, phase('Complete'));
    expect(shown.newRoot).toMatchObject({ fingerprint: generation, expiresAt: expect.stringMatching(/Z$/) });
  });

  test('names who refuses, and who has no stream', async () => {
    const api = new MemoryApi();
    const proxies = new Proxies();
    const mesh = await leader(api, proxies);
    for (const index of [0, 1]) proxies.take(index, mesh);
    Object.assign(proxies.list[0] ?? {}, { refusal: 'bad certificate' });
    Object.assign(proxies.list[1] ?? {}, { connected: false });
    await ask(api, 'now');
    const { message } = await until(api, 'now', ({ progress }) => progress === '0 of 2 proxies');
    expect(message).toBe(
      '0 of 2 proxies trust the new root beside the old one; no stream from shop/p1; shop/p0 refuses it: bad certificate',
    );
  });

  test('waits for its turn', async () => {
    const api = new MemoryApi();
    const proxies = new Proxies();
    const mesh = await leader(api, proxies);
    proxies.take(0, mesh);
    await ask(api, 'a');
    await until(api, 'a', phase('Distributing'));
    await ask(api, 'b');
    expect((await until(api, 'b', phase('Pending'))).message).toBe('waits for TrustRotation a');
    const timer = setInterval(() => proxies.take(0, mesh), 10);
    cleanups.push(() => clearInterval(timer));
    await until(api, 'b', phase('Complete'));
    expect(await statusOf(api, 'a')).toMatchObject({ phase: 'Complete' });
  });

  test('that has ended is not begun once more by a leader whose watch lags', async () => {
    const api = new LateRotations();
    await ask(api, 'now');
    await api.patch(TRUST_ROTATION, { name: 'now' }, 'merge', { status: { phase: 'Complete' } });
    const mesh = await leader(api);
    await eventually(() => api.looks >= 2);
    expect(mesh.authority.state?.phase).toBe('Stable');
  });

  test('goes on under another leader, from the phase in which it was', async () => {
    const api = new MemoryApi();
    const proxies = new Proxies();
    const first = await leader(api, proxies);
    proxies.take(0, first);
    await ask(api, 'now');
    await until(api, 'now', phase('Distributing'));
    proxies.take(0, first);
    await until(api, 'now', phase('Issuing'));
    await first.end();
    const second = await leader(api, proxies);
    expect(second.authority.state).toMatchObject({ phase: 'Issuing' });
    for (const next of ['Retiring', 'Complete']) {
      proxies.take(0, second);
      await until(api, 'now', phase(next));
    }
  });
});

describe('an abort', () => {
  const abort = (api: MemoryApi) => api.patch(TRUST_ROTATION, { name: 'now' }, 'merge', { spec: { abort: true } });

  /** A rotation in a phase, with one proxy that has come so far. */
  async function inPhase(wanted: 'Distributing' | 'Issuing' | 'Retiring') {
    const api = new MemoryApi();
    const proxies = new Proxies();
    const mesh = await leader(api, proxies);
    proxies.take(0, mesh);
    const old = mesh.authority.generation;
    await ask(api, 'now');
    for (const next of ['Distributing', 'Issuing', 'Retiring']) {
      await until(api, 'now', phase(next));
      if (next === wanted) break;
      proxies.take(0, mesh);
    }
    return { api, proxies, mesh, old };
  }

  test('while Distributing ends it at once: the new root has signed nothing', async () => {
    const { api, mesh, old } = await inPhase('Distributing');
    await abort(api);
    const ended = await until(api, 'now', phase('Aborted'));
    expect(ended).toMatchObject({ complete: 'False', oldRoot: { fingerprint: old } });
    await eventually(() => mesh.authority.state?.roots.length === 1);
    expect(mesh.authority.generation).toBe(old);
  });

  test('while Issuing goes back by way of both', async () => {
    const { api, proxies, mesh, old } = await inPhase('Issuing');
    proxies.list.push({ pod: 'shop/p1', connected: true, bundle: 'x', generation: mesh.authority.generation });
    await abort(api);
    const aborting = await until(api, 'now', phase('Aborting'));
    expect(aborting.message).toContain('of 2 proxies have a certificate of the old root again');
    expect([mesh.authority.generation, mesh.authority.state?.roots.length]).toEqual([old, 2]);
    proxies.take(0, mesh);
    proxies.take(1, mesh);
    await until(api, 'now', phase('Aborted'));
    await eventually(() => mesh.authority.state?.roots.length === 1);
    expect(mesh.authority.generation).toBe(old);
  });

  test('by deletion is the same', async () => {
    const { api, proxies, mesh, old } = await inPhase('Issuing');
    proxies.list.push({ pod: 'shop/p1', connected: true, bundle: 'x', generation: mesh.authority.generation });
    await api.delete(TRUST_ROTATION, { name: 'now' });
    await eventually(() => mesh.authority.state?.phase === 'Aborting');
    proxies.take(0, mesh);
    proxies.take(1, mesh);
    await eventually(() => mesh.authority.state?.phase === 'Stable');
    expect(mesh.authority.generation).toBe(old);
  });

  test('while Retiring comes too late, and says so', async () => {
    const { api, proxies, mesh, old } = await inPhase('Retiring');
    await abort(api);
    await until(api, 'now', ({ message }) => message.includes('spec.abort came too late'));
    proxies.take(0, mesh);
    await until(api, 'now', phase('Complete'));
    expect(mesh.authority.generation).not.toBe(old);
  });
});
