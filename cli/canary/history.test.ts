import { expect, test } from '@jest/globals';
import { formatHistory } from './history.ts';

test('releases stand under each other, with how long they took', () => {
  const startTime = '2026-01-01T00:00:00Z';
  const table = formatHistory([
    { revision: 'c', stableRevision: 'b', startTime },
    {
      revision: 'b',
      stableRevision: 'a',
      startTime,
      endTime: '2026-01-01T00:02:30Z',
      outcome: 'Promoted',
      message: 'revision b serves',
    },
    { revision: 'x', startTime, endTime: '2026-01-01T03:04:00Z', outcome: 'GivenUp', message: 'too many errors' },
  ]);
  expect(table.split('\n')).toEqual([
    'REVISION   REPLACES   BEGAN                  TOOK    OUTCOME     MESSAGE',
    'c          b          2026-01-01T00:00:00Z   -       under way',
    'b          a          2026-01-01T00:00:00Z   2m30s   Promoted    revision b serves',
    'x          -          2026-01-01T00:00:00Z   3h4m    GivenUp     too many errors',
  ]);
});
