import { describe, expect, test } from '@jest/globals';
import { type CaSecret, RootProblem } from './ca-secret.ts';
import { makeEndCertificate, makeIntermediate, makeRoot } from './certificate.ts';
import { makeKeyPair } from './key-pair.ts';
import { DEFAULT_LIFETIMES } from './lifetimes.ts';
import { abortRotation, advance, beginRotation, firstState, newRoot, replaceLostRoot } from './root-rotation.ts';
import { readOwnRoot, renderRoot, salvageRoots } from './root-secret.ts';
import { fingerprintOf, type RootState } from './root-state.ts';
import { certManagerSecret, foreignAuthority, secretOf, userSecret } from './testing/chain.ts';
import { readUserRoot } from './user-root.ts';

const now = Date.now();

async function stored(
  change: (state: RootState) => RootState | Promise<RootState> = (state) => state,
): Promise<CaSecret> {
  const { data, annotations } = renderRoot(await change(firstState(await newRoot(DEFAULT_LIFETIMES, now), now)));
  // As JSON has them: without those that are undefined.
  return { ...secretOf('heddle-ca', {}, JSON.parse(JSON.stringify(annotations))), data };
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

/** A CA of three levels, and, by their keys in the Secret, certificates of the upper ones as they were before they were renewed. */
async function agingAuthority(): Promise<{ secret: CaSecret; expired: Record<string, string> }> {
  const [top, middle, low] = await Promise.all([makeKeyPair(), makeKeyPair(), makeKeyPair()]);
  const notBefore = now - 7_200_000;
  const [old, young] = [now - 3_600_000, now + 3_600_000];
  const rootUntil = (notAfter: number) =>
    makeRoot({ notBefore, notAfter, commonName: 'root', publicKey: top.publicKey }, top.privateKey);
  const [root, oldRoot] = await Promise.all([rootUntil(young), rootUntil(old)]);
  const above = { certificate: root, privateKey: top.privateKey };
  const betweenUntil = (notAfter: number) =>
    makeIntermediate({ notBefore, notAfter, commonName: 'between', publicKey: middle.publicKey }, above);
  const [between, oldBetween] = await Promise.all([betweenUntil(young), betweenUntil(old)]);
  const request = { notBefore, notAfter: young, commonName: 'mesh CA', publicKey: low.publicKey };
  const certificate = await makeIntermediate(request, { certificate: between, privateKey: middle.privateKey });
  const secret = userSecret(root, { certificate, privateKey: low.privateKey });
  return {
    secret: withData(secret, { 'cert-chain.pem': base64(between.toString()) }),
    expired: { 'root-cert.pem': oldRoot.toString(), 'cert-chain.pem': oldBetween.toString() },
  };
}

const text = (secret: CaSecret, key: string) => Buffer.from(secret.data?.[key] ?? '', 'base64').toString();
const withData = (secret: CaSecret, data: Record<string, string>): CaSecret => ({
  ...secret,
  data: { ...secret.data, ...data },
});
const base64 = (value: string) => Buffer.from(value).toString('base64');

describe('the Secret heddle-ca', () => {
  test('reads back what was written, in every phase, with our root and with one of the user', async () => {
    const { root, signing } = await foreignAuthority();
    const given = readUserRoot(userSecret(root, signing), now);
    const rotation = { name: 'a', uid: 'b' };
    const begun = beginRotation(firstState(await newRoot(DEFAULT_LIFETIMES, now), now), given, now, rotation);
    const issuing = advance(begun, now);
    const retiring = advance(issuing, now);
    const states = [
      begun,
      issuing,
      retiring,
      advance(retiring, now),
      abortRotation(issuing, now),
      abortRotation(begun, now),
    ];
    expect(states.map(({ phase }) => phase)).toEqual([
      'Distributing',
      'Issuing',
      'Retiring',
      'Stable',
      'Aborting',
      'Stable',
    ]);
    for (const state of states) {
      const read = readOwnRoot(await stored(() => state), now);
      const facts = ({ phase, since, origin, rotation: by, declined, cameFrom, ...rest }: RootState) => ({
        ...{ phase, since, origin, by, declined, cameFrom },
        signing: fingerprintOf(rest),
        roots: rest.roots.map(String),
        chain: rest.chain.map(String),
        next: rest.next && fingerprintOf(rest.next),
        previous: rest.previous && fingerprintOf(rest.previous),
      });
      expect(facts(read)).toEqual(facts(state));
    }
    expect(Object.keys((await stored(() => retiring)).data ?? {})).not.toContain('previous-ca-key.pem');
  });

  test('of a rotation whose old root has expired meanwhile is read without it', async () => {
    const old = await newRoot({ ...DEFAULT_LIFETIMES, rootMs: 1000 }, now);
    const begun = beginRotation(firstState(old, now), await newRoot(DEFAULT_LIFETIMES, now), now);
    const secret = await stored(() => advance(begun, now));
    expect(readOwnRoot(secret, now).previous).toBeDefined();
    expect(readOwnRoot(secret, now + 2000).previous).toBeUndefined();
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
    expect(problem.message).toBe(
      'Secret heddle-ca: ca-cert.pem and ca-key.pem do not belong together; write both of one CA at once',
    );
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

  test('leaves all that was trusted when it breaks once more, but nothing that has expired', async () => {
    const [lost, next] = await Promise.all([
      newRoot({ ...DEFAULT_LIFETIMES, rootMs: 3_600_000 }, now),
      newRoot(DEFAULT_LIFETIMES, now),
    ]);
    const secret = await stored(() => replaceLostRoot(next, lost.anchors, now));
    const broken = withData(secret, { 'ca-key.pem': '' });
    expect(new Set(salvageRoots(broken, now).map(String))).toEqual(
      new Set([...lost.anchors, ...next.anchors].map(String)),
    );
    expect(salvageRoots(broken, now + 7_200_000).map(String)).toEqual(next.anchors.map(String));
  });
});

describe('the Secret cacerts', () => {
  test('is read in both formats of Istio', async () => {
    const { root, signing } = await foreignAuthority();
    for (const secret of [userSecret(root, signing), certManagerSecret(root, signing)]) {
      const given = readUserRoot(secret, now);
      expect(given.chain.map(String)).toEqual([signing.certificate.toString()]);
      expect(given.anchors.map(String)).toEqual([root.toString()]);
      expect(given.origin).toBe('cacerts');
    }
  });

  test('of cert-manager, self-signed, is its own root', async () => {
    const own = await newRoot(DEFAULT_LIFETIMES, now);
    const given = readUserRoot(certManagerSecret(own.signing.certificate, own.signing), now);
    expect([given.chain, fingerprintOf(given)]).toEqual([[], fingerprintOf(own)]);
  });

  test.each([
    ['tls.key', '', 'Secret cacerts: tls.key holds no unencrypted private key in PEM'],
    ['ca.crt', '', 'Secret cacerts: ca.crt holds no certificate'],
    ['tls.crt', 'half', 'Secret cacerts: tls.crt holds no certificate'],
  ])('of cert-manager, half written at %s, is refused with that key named', async (key, value, message) => {
    const { root, signing } = await foreignAuthority();
    const secret = withData(certManagerSecret(root, signing), { [key]: base64(value) });
    expect(problemOf(() => readUserRoot(secret, now)).message).toBe(message);
  });

  test('is refused when it is no CA, with the fix', async () => {
    const { root, signing } = await foreignAuthority();
    const { publicKey, privateKey } = await makeKeyPair();
    const names = [{ dns: 'a' }];
    const request = { publicKey, names, usage: ['serverAuth'], notBefore: now - 1000, notAfter: now + 60_000 } as const;
    const certificate = await makeEndCertificate(request, signing);
    const secret = userSecret(root, { certificate, privateKey });
    expect(problemOf(() => readUserRoot(secret, now)).message).toBe(
      'Secret cacerts: ca-cert.pem is no CA certificate; issue it with the basic constraint CA:TRUE',
    );
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

  test.each([
    ['its root', 'root-cert.pem', 'root-cert.pem'],
    ['an intermediate above it', 'cert-chain.pem', 'a certificate of cert-chain.pem'],
  ])('is refused when %s has expired, with that named', async (_, key, field) => {
    const { secret, expired } = await agingAuthority();
    expect(readUserRoot(secret, now).chain).toHaveLength(2);
    const problem = problemOf(() => readUserRoot(withData(secret, { [key]: base64(expired[key] ?? '') }), now));
    expect([problem.reason, problem.message]).toEqual([
      'Expired',
      expect.stringMatching(`^Secret cacerts: ${field} expired at .*; renew it$`),
    ]);
  });
});
