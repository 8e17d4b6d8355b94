import { describe, expect, test } from '@jest/globals';
import { brokenOnce } from './corpus-folder.ts';
import { mutate } from './engine/mutate.ts';
import { Random } from './engine/random.ts';
import { loadTarget, TARGET_NAMES } from './registry.ts';
import { SEED } from './seed.ts';

/** Changed inputs of each target; `npm run fuzz` runs as many as one has time for. */
const CHANGED = 1000;

const targets = await Promise.all(TARGET_NAMES.map(loadTarget));

describe.each(targets)('what reads $about', ({ name, seeds, form, run }) => {
  test('has the name it is found by', () => {
    expect(TARGET_NAMES).toContain(name);
  });

  test('takes or refuses real messages, and what broke it once', async () => {
    const inputs = [...seeds, ...brokenOnce(name).map(({ input }) => input)];
    for (const input of inputs) await run(input);
    expect(inputs.length).toBeGreaterThan(0);
  });

  test(`takes or refuses changed messages (FUZZ_SEED=${SEED})`, async () => {
    const random = new Random(SEED);
    for (let count = 0; count < CHANGED; count++) {
      const input = mutate(form, random.of(seeds), random.of(seeds), [], random);
      const outcome = await Promise.resolve(input)
        .then(run)
        .catch((error: unknown) => ({ error, input: hex(input) }));
      expect(outcome).toBeUndefined();
    }
  });
});

const hex = (input: Uint8Array): string => Buffer.from(input).toString('hex');
