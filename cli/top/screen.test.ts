import { expect, test } from '@jest/globals';
import { showOn } from './screen.ts';

const ESC = '\u001b';

function terminal(
  columns: number,
  rows: number,
): { written: string[]; columns: number; rows: number; write(text: string): void } {
  const written: string[] = [];
  return { written, columns, rows, write: (text) => void written.push(text) };
}

test('a picture is drawn over the one before, and the cursor comes back', () => {
  const stream = terminal(80, 24);
  const screen = showOn(stream);
  screen.draw(['one', 'two']);
  screen.draw(['three']);
  screen.end();
  expect(stream.written).toEqual([
    `${ESC}[?25l`,
    `\rone${ESC}[K\ntwo${ESC}[K\n${ESC}[J`,
    `${ESC}[2A\rthree${ESC}[K\n${ESC}[J`,
    `${ESC}[?25h`,
  ]);
});

test('what does not fit is cut, and colours end there', () => {
  const stream = terminal(4, 3);
  showOn(stream).draw([`${ESC}[31mabcdef${ESC}[39m`, 'x', 'y']);
  expect(stream.written[1]).toBe(`\r${ESC}[31mabcd${ESC}[39m${ESC}[0m${ESC}[K\nx${ESC}[K\n${ESC}[J`);
});

test('a terminal that does not know its size is taken for a usual one', () => {
  const stream = terminal(0, 0);
  showOn(stream).draw(['one', 'two']);
  expect(stream.written[1]).toBe(`\rone${ESC}[K\ntwo${ESC}[K\n${ESC}[J`);
});
