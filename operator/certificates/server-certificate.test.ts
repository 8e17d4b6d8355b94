import type { X509Certificate } from 'node:crypto';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { CertificateAuthority } from './authority.ts';
import { parseCertificates } from './pem.ts';
import { ServerCertificate, type ServingPair } from './server-certificate.ts';
import { changeRoot, readyAuthority } from './testing/chain.ts';

const NAME = 'heddle.heddle-system.svc';
const [SECOND_MS, HOUR_MS, DAY_MS] = [1_000, 3_600_000, 86_400_000];
/** Less than the time after which it looks in any case. */
const PROPAGATION_MS = 1_200_000;
const ends: (() => unknown)[] = [];

// The clock is ours, so that days pass; keys and certificates are real, and take their time.
beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] });
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  jest.useRealTimers();
});

/** A certificate of a real authority, and every pair that was told. */
async function serve(lifetimeMs: number, propagationMs: number) {
  const authority = await readyAuthority();
  const server = new ServerCertificate({ authority, dnsNames: [NAME], lifetimeMs, propagationMs });
  const told: ServingPair[] = [];
  server.onChange((pair) => told.push(pair));
  ends.push(
    () => authority.stop(),
    () => server.stop(),
  );
  await happens(() => server.current !== undefined);
  return { authority, server, told };
}

/** Waits for what goes on meanwhile, in real time; for what never comes no longer than that takes. @param ms real ones */
async function happens(isDone: () => boolean, ms = 15_000): Promise<void> {
  for (const end = performance.now() + ms; !isDone() && performance.now() < end; ) {
    await jest.advanceTimersByTimeAsync(0);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Lets so much time pass, and what comes of that happen. */
async function pass(ms: number, told: readonly unknown[], length: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(ms);
  await happens(() => told.length > length, 200);
  await happens(() => told.length >= length);
  expect(told).toHaveLength(length);
}

const leafOf = ({ cert }: ServingPair): X509Certificate => parseCertificates(cert, 'cert')[0] as X509Certificate;

/** Whether the root that signs now signed it. */
function isOf({ state }: CertificateAuthority, { cert }: ServingPair): boolean {
  const chain = parseCertificates(cert, 'cert');
  const above = [...chain.slice(1), ...(state ? [state.signing.certificate] : [])];
  return chain.every((one, nth) => above[nth] === undefined || one.verify(above[nth].publicKey));
}

test('it is for its name, signed by the root, and whoever asks for it later gets it at once', async () => {
  const { authority, server, told } = await serve(DAY_MS, 60_000);
  const [pair] = told as [ServingPair];
  expect(told).toEqual([server.current]);
  const leaf = leafOf(pair);
  expect(leaf.checkHost(NAME)).toBe(NAME);
  expect(leaf.checkHost('other.heddle-system.svc')).toBeUndefined();
  expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  expect(isOf(authority, pair)).toBe(true);
  expect(server.expiresAt).toBe(leaf.validToDate.getTime());
  const later: ServingPair[] = [];
  const end = server.onChange((one) => later.push(one));
  expect(later).toEqual([pair]);
  end();
});

test('with another root it stays until all clients have heard of that, and is of that then', async () => {
  const { authority, server, told } = await serve(30 * DAY_MS, PROPAGATION_MS);
  const early: ServingPair[] = [];
  server.onChange((pair) => early.push(pair))();
  await changeRoot(authority);
  expect(isOf(authority, told[0] as ServingPair)).toBe(false);
  await pass(PROPAGATION_MS - SECOND_MS, told, 1);
  await pass(SECOND_MS, told, 2);
  expect(isOf(authority, told[1] as ServingPair)).toBe(true);
  expect(server.current).toEqual(told[1]);
  // Who ended it hears no more.
  expect(early).toHaveLength(1);
  await pass(DAY_MS, told, 2);
});

test('a root that comes while others are waited for is waited for as well', async () => {
  const { authority, told } = await serve(30 * DAY_MS, HOUR_MS);
  await changeRoot(authority);
  await pass(HOUR_MS / 2, told, 1);
  await changeRoot(authority);
  await pass(HOUR_MS - SECOND_MS, told, 1);
  await pass(SECOND_MS, told, 2);
  expect(isOf(authority, told[1] as ServingPair)).toBe(true);
});

test('one that is taken back before has it stay as it is, and so has trust that changes alone', async () => {
  const { authority, told } = await serve(30 * DAY_MS, HOUR_MS);
  const { state } = authority;
  if (state === undefined) throw new Error('there is a root');
  await changeRoot(authority);
  await authority.adopt(state);
  await pass(DAY_MS, told, 1);
  const { state: other } = await readyAuthority();
  await authority.adopt({ ...state, roots: [...state.roots, ...(other?.roots ?? [])] });
  await pass(DAY_MS, told, 1);
});

test('what is waited for is no longer than four fifths of its life: an expired one would help nobody', async () => {
  const { authority, told } = await serve(10 * HOUR_MS, DAY_MS);
  await changeRoot(authority);
  await pass(8 * HOUR_MS - 5 * SECOND_MS, told, 1);
  await pass(5 * SECOND_MS, told, 2);
  expect(isOf(authority, told[1] as ServingPair)).toBe(true);
});

test('it is renewed from half of its life on, and after its end no more', async () => {
  const { server, told } = await serve(10 * HOUR_MS, HOUR_MS);
  const { expiresAt = 0 } = server;
  await pass(5 * HOUR_MS - 5 * SECOND_MS, told, 1);
  await pass(4 * HOUR_MS, told, 2);
  expect(server.expiresAt).toBeGreaterThan(expiresAt);
  await server.stop();
  await pass(DAY_MS, told, 2);
});
