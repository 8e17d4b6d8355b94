import { expect, test } from '@jest/globals';
import { showOn } from '../top/screen.ts';
import { paint } from './colour.ts';
import { draw, type GuardedStream, guardTerminal, harmless } from './guard.ts';
import { startProgress } from './progress.ts';

const CLEAR = '\u001b[2J\u001b]0;mine\u0007';

function stream(isTTY: boolean): GuardedStream & { readonly written: string[]; write(text: string): boolean } {
  const written: string[] = [];
  return { isTTY, written, write: (text: string | Uint8Array) => written.push(String(text)) > 0 };
}

test.each([
  [`name ${CLEAR}\n`, 'name \\x1b[2J\\x1b]0;mine\\x07\n'],
  ['all is well\rrefused\r\n', 'all is well\\x0drefused\r\n'],
  ['\u001b[31mred\u001b[39m\tü\n', '\u001b[31mred\u001b[39m\tü\n'],
  ['\u001b[8mnot seen\u001b[30;40mnor this\u001b[0m', '\\x1b[8mnot seen\\x1b[30;40mnor this\\x1b[0m'],
  ['\u001b[1A\u001b[2Khidden\u009b2J', '\\x1b[1A\\x1b[2Khidden\\x9b2J'],
])('of %j a terminal obeys colours alone', (text, shown) => {
  expect(harmless(text)).toBe(shown);
});

test('a guarded terminal gets what is harmless, and bytes and drawings as they are', () => {
  const terminal = stream(true);
  guardTerminal(terminal);
  guardTerminal(terminal);
  terminal.write(`${paint('red', 'x', terminal)}${CLEAR}\n`);
  terminal.write('\u001b[2K');
  draw(terminal, '\r\u001b[2K');
  expect(terminal.written).toEqual([`\u001b[31mx\u001b[39m\\x1b[2J\\x1b]0;mine\\x07\n`, '\\x1b[2K', '\r\u001b[2K']);
});

test('a file gets everything as it is', () => {
  const file = stream(false);
  guardTerminal(file);
  file.write(CLEAR);
  expect(file.written).toEqual([CLEAR]);
});

test('what is drawn in place moves the cursor, and what strangers wrote in it does not', () => {
  const terminal = stream(true);
  guardTerminal(terminal);
  const screen = showOn(terminal);
  screen.draw([`row ${CLEAR}`]);
  screen.end();
  const bar = startProgress('checking', terminal);
  bar.update(0.5, `pod ${CLEAR}`);
  bar.finish(CLEAR);
  const text = terminal.written.join('');
  expect(text).toContain('\r');
  expect(text).toContain('\u001b[K');
  expect(text).toContain('\r\u001b[2K');
  expect(text).not.toContain('\u001b[2J');
  expect(text).not.toContain('\u001b]');
});
