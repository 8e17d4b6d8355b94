import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { coloursAllowed, paint, visibleWidth } from './colour.ts';
import { formatSeconds, remainingSeconds, shownFraction } from './estimate.ts';
import { formatBar, startProgress } from './progress.ts';
import { formatTable } from './table.ts';

describe('colours', () => {
  test('are written to a terminal only', () => {
    expect(coloursAllowed({ isTTY: true }, {})).toBe(true);
    expect(coloursAllowed({}, {})).toBe(false);
  });

  test('give way to NO_COLOR and to a dumb terminal', () => {
    expect(coloursAllowed({ isTTY: true }, { NO_COLOR: '1' })).toBe(false);
    expect(coloursAllowed({ isTTY: true }, { TERM: 'dumb' })).toBe(false);
  });

  test('leave text as it is where they are not allowed', () => {
    expect(paint('red', 'gone', {})).toBe('gone');
  });

  test('take no room on the screen', () => {
    expect(visibleWidth('\u001b[31mgone\u001b[39m')).toBe(4);
  });
});

describe('a table', () => {
  test('aligns its columns and leaves nothing after the last one', () => {
    expect(formatTable(['name', 'pid'], [['etcd', '12'], ['kubelet']])).toBe('NAME      PID\netcd      12\nkubelet');
  });

  test('is not shifted by colours', () => {
    const table = formatTable(['a', 'b'], [['\u001b[31mx\u001b[39m', 'y']]);
    expect(table).toBe('A   B\n\u001b[31mx\u001b[39m   y');
  });
});

describe('an estimate', () => {
  const cases = [
    {
      name: 'is what is left of the last time',
      job: { expectedSeconds: 100, elapsedSeconds: 30, fraction: 0.1 },
      left: 70,
    },
    {
      name: 'follows the pace once the job is slower',
      job: { expectedSeconds: 100, elapsedSeconds: 150, fraction: 0.75 },
      left: 50,
    },
    {
      name: 'is unknown for a late job that shows nothing',
      job: { expectedSeconds: 10, elapsedSeconds: 20, fraction: 0 },
      left: undefined,
    },
    { name: 'is zero for a job that is done', job: { expectedSeconds: 100, elapsedSeconds: 30, fraction: 1 }, left: 0 },
  ];
  test.each(cases)('$name', ({ job, left }) => {
    expect(remainingSeconds(job)).toBe(left);
  });

  test('never fills the bar before the end, and never leaves it', () => {
    const number = fc.double({ min: 0, max: 1e6, noNaN: true });
    const fraction = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(number, number, fraction, (expectedSeconds, elapsedSeconds, part) => {
        const shown = shownFraction({ expectedSeconds, elapsedSeconds, fraction: part });
        expect(shown).toBeGreaterThanOrEqual(0);
        expect(shown).toBeLessThanOrEqual(0.99);
      }),
    );
  });

  test.each([
    [0, '0 s'],
    [59.4, '59 s'],
    [120, '2 min'],
    [390, '6 min 30 s'],
    [3900, '1 h 5 min'],
    [-3, '0 s'],
  ])('%d seconds read as %s', (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
  });
});

describe('a progress bar', () => {
  const recorder = (
    isTTY: boolean,
  ): { stream: { isTTY: boolean; columns: number; write(text: string): void }; text: () => string } => {
    const written: string[] = [];
    return { stream: { isTTY, columns: 80, write: (text) => written.push(text) }, text: () => written.join('') };
  };

  test('writes plain lines, few of them, where there is no terminal', () => {
    const { stream, text } = recorder(false);
    const bar = startProgress('building', stream);
    for (let i = 0; i < 100; i += 1) bar.update(i / 100, 'a package');
    bar.finish('done');
    expect(text()).toBe('building: 0% a package\nbuilding: done\n');
  });

  test('keeps to one line of a terminal, however long the note', () => {
    const { stream, text } = recorder(true);
    const bar = startProgress('building', stream);
    bar.update(0.5, 'x'.repeat(500));
    expect(text()).not.toContain('\n');
    expect(visibleWidth(text().replaceAll('\r', ''))).toBeLessThan(80);
  });

  test.each([
    [-1, '░░░░'],
    [0.5, '██░░'],
    [2, '████'],
  ])('of %d reads %s', (fraction, bar) => {
    expect(formatBar(fraction, 4)).toBe(bar);
  });
});
