import { expect, test } from '@jest/globals';
import { linesOf } from './lines.ts';

async function read(...chunks: string[]): Promise<string[]> {
  const stream = (async function* () {
    yield* chunks;
  })();
  const lines: string[] = [];
  for await (const line of linesOf(stream)) lines.push(line);
  return lines;
}

test.each([
  [['one\ntwo\n'], ['one', 'two']],
  [
    ['o', 'ne\r\n\ntw', 'o'],
    ['one', '', 'two'],
  ],
  [[], []],
])('%j is split into its lines', async (chunks, lines) => {
  expect(await read(...chunks)).toEqual(lines);
});

test('of a line without an end no more is kept than anybody reads, and the next one is whole', async () => {
  const chunk = 'x'.repeat(1_000_000);
  const [long = '', next] = await read(chunk, chunk, `${chunk}\nnext\n`);
  expect([long.length, long.at(-1), next]).toEqual([256 * 1024 + 1, '…', 'next']);
});
