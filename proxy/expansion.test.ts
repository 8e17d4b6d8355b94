import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { expandArgument, toArgument, variable } from './expansion.ts';

describe('toArgument', () => {
  test('writes references and escapes everything else that kubelet would expand', () => {
    const argument = toArgument({ id: `${variable('POD_NAME')}.x`, path: '/?$(POD_NAME)&$$&$' });
    expect(argument).toBe('{"id":"$(POD_NAME).x","path":"/?$$(POD_NAME)&$$$$&$$"}');
    expect(JSON.parse(expandArgument(argument, { POD_NAME: 'p' }))).toEqual({ id: 'p.x', path: '/?$(POD_NAME)&$$&$' });
  });

  test('brings any text through the expansion unchanged', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[$()A-Z]*$/));
    fc.assert(
      fc.property(text, (value) => {
        expect(JSON.parse(expandArgument(toArgument({ value }), { A: 'expanded' }))).toEqual({ value });
      }),
    );
  });
});
