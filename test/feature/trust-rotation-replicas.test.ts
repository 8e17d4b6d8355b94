import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type ClosedLoop, startClosedLoop } from './support/closed-loop.ts';
import { RotatingReplicas } from './support/rotating-replicas.ts';

/** Two real control planes, of which the leader is killed in the midst of each phase of a rotation, and real Envoys under load. */

let mesh: RotatingReplicas;
let load: ClosedLoop;

beforeEach(async () => {
  mesh = new RotatingReplicas();
  await mesh.start();
  load = startClosedLoop(mesh.port, 4);
}, 120_000);

afterEach(async () => {
  await load.stop();
  await mesh.stop();
}, 60_000);

test('a rotation goes on when its leader is killed in each phase: with the root it began with, and without a lost request', async () => {
  await mesh.until('a stream at each replica', () => mesh.streams().every((count) => count === 1));
  expect(mesh.roots.size).toBe(1);
  mesh.heldAt = 'Distributing';
  await mesh.rotate('whole');
  const root = await mesh.reaches('whole', 'Distributing');
  expect(root).not.toBe('');
  for (const [phase, next] of [
    ['Distributing', 'Issuing'],
    ['Issuing', 'Retiring'],
    ['Retiring', undefined],
  ] as const) {
    expect(await mesh.reaches('whole', phase)).toBe(root);
    await mesh.killLeader();
    // Who leads now has the phase as it was, and goes on from there.
    expect(await mesh.reaches('whole', phase)).toBe(root);
    mesh.heldAt = next;
  }
  expect(await mesh.reaches('whole', 'Complete')).toBe(root);
  expect(mesh.roots.size).toBe(2);
  const { served, failures } = await load.stop();
  expect(failures.slice(0, 3)).toEqual([]);
  expect(served).toBeGreaterThan(100);
}, 300_000);

test('a rotation whose leaders are killed at any moment, one after the other, has one new root', async () => {
  // Killed at any moment: nothing is held.
  for (const name of ['first', 'second']) {
    await mesh.rotate(name);
    await mesh.killLeader();
    await mesh.killLeader();
    await mesh.reaches(name, 'Complete');
  }
  expect(mesh.roots.size).toBe(3);
  const { served, failures } = await load.stop();
  expect(failures.slice(0, 3)).toEqual([]);
  expect(served).toBeGreaterThan(100);
}, 300_000);
