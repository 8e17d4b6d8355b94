import { describe, expect, test } from '@jest/globals';
import { DEFAULT_LIFETIMES } from './lifetimes.ts';
import { beginRotation, firstState, newRoot, switchRoot } from './root-rotation.ts';
import {
  type CaSecret,
  RootProblem,
  type RootState,
  readOwnRoot,
  readUserRoot,
  renderRoot,
  salvageRoots,
} from './root-state.ts';
import { foreignAuthority, secretOf, userSecret } from './testing/chain.ts';

const now = Date.now();

async function stored(
  change: (state: RootState) => RootState | Promise<RootState> = (state) => state,
): Promise<CaSecret> {
  const { data, annotations } = renderRoot(await change(firstState(await newRoot(DEFAULT_LIFETIMES, now), now)));
  return { ...secretOf('heddle-ca', {}, annotations), ...(data ? { data } : {}) };
}

function problemOf(read: () => unknown): RootProblem {
  try {
    read();
  } catch (error) {
    if (error instanceof RootProblem) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

const text = (secret: CaSecret, key: string) => Buffer.from(secret.data?.[key] ?? '', 'base64').toString();
const withData = (secret: CaSecret, data: Record<string, string>): CaSecret => ({
  ...secret,
  data: { ...secret.data, ...data },
});
const base64 = (value: string) => Buffer.from(value).toString('base64');

describe('the Secret heddle-ca', () => {
  test('reads back what was written, in every phase', async () => {
    const next = await newRoot(DEFAULT_LIFETIMES, now);
    const distributing = await stored((state) => beginRotation(state, next, now));
    const retiring = await stored((state) => switchRoot(beginRotation(state, next, now), now));
    expect(readOwnRoot(distributing, now)).toMatchObject({ phase: 'Distributing', since: now });
    expect(readOwnRoot(distributing, now).next?.certificate.fingerprint256).toBe(next.certificate.fingerprint256);
    expect(readOwnRoot(distributing, now).roots).toHaveLength(2);
    expect(readOwnRoot(retiring, now).phase).toBe('Retiring');
    expect(readOwnRoot(retiring, now).signing.certificate.fingerprint256).toBe(next.certificate.fingerprint256);
    expect(Object.keys(retiring.data ?? {})).not.toContain('next-ca-key.pem');
  });

  test.each([
    ['is empty', () => ({}), /ca-cert.pem holds no certificate/],
    [
      'has no key',
      (good: CaSecret) => ({ ...good.data, 'ca-key.pem': '' }),
      /ca-key.pem holds no unencrypted private key/,
    ],
    [
      'has a truncated certificate',
      (good: CaSecret) => ({ ...good.data, 'ca-cert.pem': base64(text(good, 'ca-cert.pem').slice(0, 200)) }),
      /holds no certificate/,
    ],
    [
      'has a garbled certificate',
      (good: CaSecret) => ({ ...good.data, 'ca-cert.pem': base64(text(good, 'ca-cert.pem').replace('MII', 'AAA')) }),
      /certificate 1 is malformed/,
    ],
    ['is no base64', (good: CaSecret) => ({ ...good.data, 'ca-cert.pem': '%%%' }), /holds no certificate/],
    [
      'is enormous',
      (good: CaSecret) => ({ ...good.data, 'ca-cert.pem': base64('x'.repeat(200_000)) }),
      /is over 131072 characters/,
    ],
  ])(
    'is refused when it %s, with the field named',
    async (_, data: (good: CaSecret) => Record<string, string>, message) => {
      const good = await stored();
      const problem = problemOf(() => readOwnRoot({ ...good, data: data(good) }, now));
      expect(problem.reason).toBe('Invalid');
      expect(problem.message).toMatch(message);
      expect(problem.message).toContain('Secret heddle-ca');
    },
  );

  test('is refused when key and certificate are of two roots, without a word of the key', async () => {
    const [one, other] = await Promise.all([stored(), stored()]);
    const key = other.data?.['ca-key.pem'] ?? '';
    const problem = problemOf(() => readOwnRoot(withData(one, { 'ca-key.pem': key }), now));
    expect(problem.message).toBe('Secret heddle-ca: ca-cert.pem and ca-key.pem do not belong together');
  });

  test('is expired, or not yet valid, by our clock', async () => {
    const secret = await stored();
    expect(problemOf(() => readOwnRoot(secret, now + 2 * DEFAULT_LIFETIMES.rootMs)).reason).toBe('Expired');
    expect(problemOf(() => readOwnRoot(secret, now - 7_200_000)).reason).toBe('ClockOff');
  });

  test('tolerates a clock that is an hour off in either direction', async () => {
    const secret = await stored();
    for (const skew of [-3_600_000, 3_600_000]) expect(readOwnRoot(secret, now + skew).phase).toBe('Stable');
  });

  test('waits its phase again when the time of its beginning is unreadable or in the future', async () => {
    const secret = await stored();
    const annotate = (since: string) => ({
      ...secret,
      metadata: { ...secret.metadata, annotations: { 'heddle.dev/rotation-since': since } },
    });
    for (const since of ['soon', '2999-01-01T00:00:00Z', '']) expect(readOwnRoot(annotate(since), now).since).toBe(now);
  });

  test('leaves its root to be trusted when only the key is lost', async () => {
    const secret = await stored();
    const broken = withData(secret, { 'ca-key.pem': '' });
    expect(salvageRoots(broken, now).map(String)).toEqual([text(secret, 'ca-cert.pem')]);
    expect(salvageRoots(secretOf('heddle-ca', {}), now)).toEqual([]);
  });
});

describe('the Secret cacerts', () => {
  test('is read in the format of Istio', async () => {
    const { root, signing } = await foreignAuthority();
    const state = readUserRoot(userSecret(root, signing), now);
    expect(state.chain.map(String)).toEqual([signing.certificate.toString()]);
    expect(state.roots.map(String)).toEqual([root.toString()]);
    expect(state.signsDirectly).toBe(true);
  });

  test('is refused when its chain does not lead to its root', async () => {
    const [one, other] = await Promise.all([foreignAuthority(), foreignAuthority()]);
    const secret = withData(userSecret(one.root, one.signing), { 'root-cert.pem': base64(other.root.toString()) });
    expect(problemOf(() => readUserRoot(secret, now)).message).toMatch(/does not lead from ca-cert.pem/);
  });

  test('is refused when it has expired', async () => {
    const { root, signing } = await foreignAuthority(true);
    expect(problemOf(() => readUserRoot(userSecret(root, signing), now)).reason).toBe('Expired');
  });
});
