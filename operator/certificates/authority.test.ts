import { generateKeyPairSync } from 'node:crypto';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { CertificateAuthority } from './authority.ts';
import { DEFAULT_LIFETIMES } from './lifetimes.ts';
import { parseCertificates } from './pem.ts';
import { firstState, newRoot } from './root-rotation.ts';
import { readyAuthority } from './testing/chain.ts';

/** Lets timers and what they began go on until something holds; a minute at most. */
async function until(holds: () => boolean): Promise<void> {
  for (let second = 0; second < 60 && !holds(); second++) {
    jest.advanceTimersByTime(1000);
    for (let turn = 0; turn < 200 && !holds(); turn++) await new Promise(setImmediate);
  }
}

const WORKLOAD = { names: [], usage: ['serverAuth'], lifetimeMs: 3_600_000 } as const;

describe('an authority', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  test('issues what is valid for whose clock is an hour behind, up to the root', async () => {
    const authority = await readyAuthority();
    const { chain } = await authority.issue(WORKLOAD);
    const all = parseCertificates(chain + authority.trustBundle, 'chain');
    expect(all).toHaveLength(3);
    for (const { validFromDate } of all) expect(validFromDate.getTime()).toBeLessThan(Date.now() - 3_600_000);
    authority.stop();
  });

  test('goes on after a root that it can not use', async () => {
    const authority = await readyAuthority();
    const { generation } = authority;
    const next = firstState(await newRoot(DEFAULT_LIFETIMES, Date.now()), Date.now());
    const { privateKey } = generateKeyPairSync('ed25519');
    await expect(authority.adopt({ ...next, signing: { ...next.signing, privateKey } })).rejects.toThrow(
      /use EC P-256/,
    );
    expect(authority.generation).toBe(generation);
    await authority.adopt(next);
    expect(authority.generation).not.toBe(generation);
    authority.stop();
  });

  test('renews its intermediate before that is old, and tries again where it can not', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance', 'hrtime'] });
    const { intermediateMs } = DEFAULT_LIFETIMES;
    let [asked, isBroken] = [0, false];
    const lifetimes = {
      ...DEFAULT_LIFETIMES,
      get intermediateMs() {
        asked++;
        if (isBroken) throw new Error('no');
        return intermediateMs;
      },
    };
    const authority = new CertificateAuthority({ lifetimes });
    await authority.adopt(firstState(await newRoot(DEFAULT_LIFETIMES, Date.now()), Date.now()));
    const first = authority.signerExpiresAt;
    isBroken = true;
    // Timers end sooner than half of its life, and are set anew.
    for (let day = 0; day < 64; day++) jest.advanceTimersByTime(86_400_000);
    await until(() => asked === 2);
    isBroken = false;
    await until(() => authority.signerExpiresAt !== first);
    expect(authority.signerExpiresAt).toBeGreaterThan(Date.now() + intermediateMs / 2);
    authority.stop();
  });
});
