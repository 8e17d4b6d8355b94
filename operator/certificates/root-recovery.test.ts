import { afterEach, describe, expect, test } from '@jest/globals';
import { SECRET, TRUST_ROTATION } from '../../kube/kinds.ts';
import { eventually, MemoryApi } from '../../kube/testing/memory-api.ts';
import { CertificateAuthority } from './authority.ts';
import type { CaSecret } from './ca-secret.ts';
import { DEFAULT_LIFETIMES, type Lifetimes } from './lifetimes.ts';
import { RootController } from './root-controller.ts';
import { firstState, newRoot } from './root-rotation.ts';
import { renderRoot } from './root-secret.ts';
import { RootSource } from './root-source.ts';
import type { RootState } from './root-state.ts';
import { secretOf } from './testing/chain.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const HOUR = 3_600_000;
const namespace = 'heddle-system';
const CA = { namespace, name: 'heddle-ca' };

/** The Secret of a root that began to live at a time. */
async function rootOf(lifetimes: Lifetimes, born: number): Promise<CaSecret> {
  const { data } = renderRoot(firstState(await newRoot(lifetimes, born), born));
  return { ...secretOf('heddle-ca', {}), data };
}

/** A leader that looks after the root by a clock of its own. @param aheadMs by how much the API server's clock is ahead of that */
async function lead(api: MemoryApi, { aheadMs = 0 } = {}) {
  const clock = { aheadMs: 0 };
  const now = () => Date.now() + clock.aheadMs;
  const authority = new CertificateAuthority({ lifetimes: DEFAULT_LIFETIMES, now });
  const source = new RootSource({ api, namespace, authority, lifetimes: DEFAULT_LIFETIMES, now });
  const reasons: string[] = [];
  const controller = new RootController({
    api,
    namespace,
    source,
    authority,
    lifetimes: DEFAULT_LIFETIMES,
    events: { record: (_, { reason }) => void reasons.push(reason) },
    clockOffsetMs: () => aheadMs,
    now,
  });
  cleanups.push(
    () => authority.stop(),
    () => source.stop(),
    () => controller.stop(),
  );
  await source.start();
  controller.start();
  return { authority, reasons, clock, now };
}

const changes = (api: MemoryApi) => api.writes.filter((write) => write === 'update Secret heddle-system/heddle-ca');
const outlives = (state: RootState | undefined, at: number) =>
  state !== undefined && state.signing.certificate.validToDate.getTime() > at;

describe('a root that has expired', () => {
  test('before we came is replaced, and trusted no more', async () => {
    const api = new MemoryApi();
    await api.create(SECRET, await rootOf({ ...DEFAULT_LIFETIMES, rootMs: HOUR }, Date.now() - 2 * HOUR));
    const { authority, reasons } = await lead(api);
    await eventually(() => outlives(authority.state, Date.now()));
    expect(reasons).toContain('RootReplaced');
    expect(authority.state).toMatchObject({ phase: 'Stable', retired: [] });
    expect(authority.state?.roots).toHaveLength(1);
  });

  test('while it was in use, as when the machine slept, is not written again from memory', async () => {
    const api = new MemoryApi();
    const { authority, reasons, clock, now } = await lead(api);
    await eventually(() => authority.state !== undefined);
    clock.aheadMs = 2 * DEFAULT_LIFETIMES.rootMs;
    await api.patch(SECRET, CA, 'merge', { metadata: { annotations: { touched: 'yes' } } });
    await eventually(() => outlives(authority.state, now()));
    expect(reasons).toContain('RootReplaced');
    expect((await authority.issue({ names: [], usage: ['serverAuth'], lifetimeMs: 1000 })).expiresAt).toBeGreaterThan(
      now(),
    );
  });
});

describe('a clock that is off', () => {
  test('does not replace a root that is valid from tomorrow on', async () => {
    const api = new MemoryApi();
    await api.create(SECRET, await rootOf(DEFAULT_LIFETIMES, Date.now() + 24 * HOUR));
    const { authority, reasons } = await lead(api);
    await eventually(() => reasons.length > 0);
    expect([reasons, changes(api), authority.state]).toEqual([['RootRefused'], [], undefined]);
  });

  test('does not rotate a root because it seems to near its end', async () => {
    const api = new MemoryApi();
    await api.create(SECRET, await rootOf({ ...DEFAULT_LIFETIMES, rootMs: HOUR }, Date.now()));
    const { reasons } = await lead(api, { aheadMs: -2 * HOUR });
    await eventually(() => reasons.length > 0);
    expect([reasons, changes(api)]).toEqual([['RotationRefused'], []]);
    const { items } = await api.list(TRUST_ROTATION);
    expect(items.map(({ metadata }) => metadata?.name)).toEqual([expect.stringMatching(/^root-/)]);
  });
});
