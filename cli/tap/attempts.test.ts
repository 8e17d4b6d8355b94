import { expect, test } from '@jest/globals';
import { Attempts } from './attempts.ts';

async function* failing(): AsyncGenerator<string> {
  yield* [];
  throw new Error('somebody else watches it');
}

async function* giving(begun: () => void): AsyncGenerator<string> {
  begun();
  yield 'one';
}

async function drain(stream: AsyncGenerator<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const one of stream) all.push(one);
  return all;
}

test('what one can not do is told, and the others go on', async () => {
  const told: string[] = [];
  const attempts = new Attempts(2, (line) => told.push(line));
  expect(await drain(attempts.tolerate(giving(attempts.begun)))).toEqual(['one']);
  expect(await drain(attempts.tolerate(failing()))).toEqual([]);
  expect(told).toEqual(['somebody else watches it', 'Watching 1 sidecar.']);
});

test('when none can, that is an error', async () => {
  const attempts = new Attempts(2, () => undefined);
  expect(await drain(attempts.tolerate(failing()))).toEqual([]);
  await expect(drain(attempts.tolerate(failing()))).rejects.toThrow('somebody else watches it');
});
