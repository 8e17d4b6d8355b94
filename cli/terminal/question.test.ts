import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import { type GuardedStream, guardTerminal } from './guard.ts';
import { ask } from './question.ts';

test.each([
  ['yes\nno\n', 'yes'],
  ['', ''],
])('a question stands on a guarded terminal as it is, and the answer to %j is %j', async (typed, answer) => {
  const [input, output] = [new PassThrough(), Object.assign(new PassThrough(), { isTTY: true })];
  guardTerminal(output as GuardedStream);
  const asked = ask('Type yes: ', input, output);
  input.end(typed);
  expect(await asked).toBe(answer);
  expect(String(output.read())).toBe('Type yes: ');
});
