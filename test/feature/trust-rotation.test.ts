import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SECRET } from '../../kube/kinds.ts';
import { foreignAuthority, userSecret } from '../../operator/certificates/testing/chain.ts';
import { type ClosedLoop, startClosedLoop } from './support/closed-loop.ts';
import { RotatingMesh } from './support/rotating-mesh.ts';

let mesh: RotatingMesh;
let load: ClosedLoop;

beforeEach(async () => {
  mesh = new RotatingMesh();
  await mesh.start();
  load = startClosedLoop(mesh.port, 4);
}, 120_000);

afterEach(async () => {
  await load.stop();
  await mesh.stop();
});

/** The load has seen nothing of it, and was there. */
async function lostNothing(): Promise<void> {
  const { served, failures } = await load.stop();
  expect(failures.slice(0, 3)).toEqual([]);
  expect(served).toBeGreaterThan(100);
}

describe('real proxies under constant load, each request with a handshake of its own', () => {
  test('lose no request over three rotations in a row', async () => {
    const signers = new Set(mesh.generations());
    for (const name of ['first', 'second', 'third']) {
      await mesh.rotate(name);
      await mesh.reaches(name, 'Complete');
      for (const generation of mesh.generations()) signers.add(generation);
      expect(new Set(mesh.generations())).toEqual(new Set([mesh.certificates.authority.generation]));
    }
    expect(signers.size).toBe(4);
    await lostNothing();
  }, 120_000);

  test('lose none over an abort in each phase, the last of which comes too late', async () => {
    const { authority } = mesh.certificates;
    const old = authority.generation;
    for (const phase of ['Distributing', 'Issuing']) {
      mesh.held = phase === 'Distributing';
      await mesh.rotate(phase.toLowerCase());
      await mesh.reaches(phase.toLowerCase(), phase);
      mesh.held = true;
      if (phase === 'Issuing') await mesh.until(() => mesh.generations().every((one) => one !== old));
      await mesh.abort(phase.toLowerCase());
      mesh.held = false;
      await mesh.reaches(phase.toLowerCase(), 'Aborted');
      await mesh.until(() => authority.state?.phase === 'Stable');
      expect([authority.generation, authority.state?.roots.length]).toEqual([old, 1]);
      expect(mesh.generations()).toEqual([old, old]);
    }
    await mesh.rotate('retiring');
    await mesh.reaches('retiring', 'Issuing');
    await mesh.abortWhenRetiring('retiring');
    await mesh.reaches('retiring', 'Complete');
    expect(authority.generation).not.toBe(old);
    await lostNothing();
  }, 120_000);

  test("lose none when the user's CA comes, and when it is replaced by one with another root", async () => {
    const { authority } = mesh.certificates;
    const [one, other] = await Promise.all([foreignAuthority(), foreignAuthority()]);
    for (const [index, { root, signing }] of [one, other].entries()) {
      const secret = userSecret(root, signing);
      await (index === 0 ? mesh.api.create(SECRET, secret) : mesh.api.update(SECRET, secret));
      await mesh.until(() => authority.trustBundle === root.toString() && authority.state?.phase === 'Stable');
      expect(new Set(mesh.generations())).toEqual(new Set([authority.generation]));
    }
    await lostNothing();
  }, 120_000);
});
