import { expect, test } from '@jest/globals';
import { printable } from './printable.ts';

test.each([
  ['/cart?a=ü\t1', '/cart?a=ü\t1'],
  ['\u001b[2J\u001b]0;title\u0007', '\\x1b[2J\\x1b]0;title\\x07'],
  ['a\r\nb\u009b1m', 'a\\x0d\\x0ab\\x9b1m'],
  // Would be shown as allowed by admin.
  ['\u202enimda yb dewolla\u2069\u200f', '\\u202enimda yb dewolla\\u2069\\u200f'],
  ['\u05d0\u05d1 is text', '\u05d0\u05d1 is text'],
])('%j is written so that a terminal obeys nothing in it', (text, shown) => {
  expect(printable(text)).toBe(shown);
});
