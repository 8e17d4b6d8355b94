import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { MAX_OF_ONE_CALLER } from '../../proxy/caller-bounds.ts';

/** What the init container loads, in a network namespace of its own, with the kernel's word on it. */

const PROGRAM = fileURLToPath(new URL('support/caller-bounds-trial.ts', import.meta.url));

test('one address has so many connections to the plaintext ports, and keeps nobody else from them', async () => {
  expect(await trial()).toEqual({
    init: ['heddle-init: redirection rules loaded'],
    stranger: MAX_OF_ONE_CALLER,
    strangerAtAnotherPort: 0,
    kubelet: MAX_OF_ONE_CALLER,
    overIpv6: MAX_OF_ONE_CALLER,
    // What was closed does not count.
    strangerOnceMore: MAX_OF_ONE_CALLER,
    // Nor do the application's ports.
    toTheApplication: MAX_OF_ONE_CALLER + 20,
  });
}, 60_000);

/** Runs the program in a network namespace, and gives what it wrote. */
async function trial(): Promise<unknown> {
  const child = spawn('unshare', ['--net', process.execPath, PROGRAM], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [said, errors] = [[] as Buffer[], [] as Buffer[]];
  child.stdout.on('data', (data: Buffer) => said.push(data));
  child.stderr.on('data', (data: Buffer) => errors.push(data));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`it ended with ${code}: ${Buffer.concat(errors)}`);
  return JSON.parse(Buffer.concat(said).toString());
}
