import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { headerValueProblem } from './http-header-value.ts';

describe('the value of a header', () => {
  test.each([
    '',
    'text',
    '100%%',
    '%PROTOCOL%',
    '%START_TIME(%Y/%m/%dT%H:%M:%S(%z)%',
    '%REQ(x-a?:path):12%%%',
    '%REQ()%',
  ])('may be %j', (value) => expect(headerValueProblem(value)).toBeUndefined());

  test.each([
    ['%', 'must not hold a lone per cent sign'],
    ['%%%', 'must not hold a lone per cent sign'],
    ['%REQ(x-a)', 'must not hold a lone per cent sign'],
    ['%REQ(x-a):%', 'must not hold a lone per cent sign'],
    ['%REQ(%REQ(x-a)', 'must not hold a lone per cent sign'],
    ['%protocol%', 'must not hold a lone per cent sign'],
    ['%NOBODY%', 'must not hold %NOBODY%, which is no command of Envoy'],
    ['% and %NOBODY(a):3%', 'must not hold %NOBODY(a):3%, which is no command of Envoy'],
    ['a\nb', 'must not hold control characters'],
  ])('may not be %j', (value, problem) => expect(headerValueProblem(value)).toContain(problem));

  test('is read as the grammar of its commands says', () => {
    const pieces = fc.constantFrom('%', '%%', '(', ')', ':', '1', 'REQ', 'PROTOCOL', 'A', 'x');
    const command = /%(?:%|([A-Z0-9_]+)(?:\([^)]*\))?(?::[0-9]+)?%)/g;
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 14 }), (drawn) => {
        const value = drawn.join('');
        const known = /^(?:REQ|PROTOCOL)$/;
        const unknown = [...value.matchAll(command)].find(([, name]) => name !== undefined && !known.test(name));
        const isLone = value.replace(command, '').includes('%');
        const wanted = unknown === undefined ? (isLone ? 'lone' : undefined) : `hold ${unknown[0]}, which`;
        const found = headerValueProblem(value);
        if (wanted === undefined) expect(found).toBeUndefined();
        else expect(found).toContain(wanted);
      }),
      { numRuns: 2000 },
    );
  });

  test.each(['%A(', '%A', '%A:1', '%%A(', '%A(:99'])(
    'is looked through once, however long, though it is full of %j',
    (piece) => {
      const text = piece.repeat((1 << 17) / piece.length);
      for (const value of [text, `${text})`, `${text}):${'9'.repeat(1 << 20)}`]) {
        const before = process.threadCpuUsage();
        headerValueProblem(value);
        const { user, system } = process.threadCpuUsage(before);
        // In microseconds of CPU; the bound of `npm run fuzz`.
        expect(user + system).toBeLessThan(200_000);
      }
    },
  );
});
