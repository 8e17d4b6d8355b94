import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatRecord, isZombie, parseRecord, parseStartTicks } from './process-record.ts';
import { isRunning, recordOf } from './processes.ts';

const STAT_TAIL = 'S 1 12 12 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 987654 1000 50';

describe('the start time of a process', () => {
  test.each(['etcd', 'a b', 'a) S 1 (b', '((('])('is found whatever the program is called: %s', (name) => {
    expect(parseStartTicks(`42 (${name}) ${STAT_TAIL}`)).toBe('987654');
  });

  test.each(['', '42 etcd S 1', '42 (etcd) S 1'])('is refused when the line is not whole: %j', (text) => {
    expect(() => parseStartTicks(text)).toThrow('/proc/PID/stat');
  });

  test('tells a process that waits to be reaped', () => {
    expect(isZombie(`42 (x) ${STAT_TAIL.replace('S', 'Z')}`)).toBe(true);
    expect(isZombie(`42 (Z) ${STAT_TAIL}`)).toBe(false);
  });
});

describe('a process record', () => {
  test('survives being written and read', () => {
    const record = fc.record({
      name: fc.string(),
      pid: fc.integer({ min: 2, max: 2 ** 22 }),
      startTicks: fc.nat().map(String),
      bootId: fc.uuid(),
    });
    fc.assert(fc.property(record, (each) => expect(parseRecord(formatRecord(each))).toEqual(each)));
  });

  test.each([
    '',
    'null',
    '[]',
    '{"pid":5}',
    '{"name":"x","pid":1,"startTicks":"1","bootId":"b"}',
    '{"name":"x","pid":-5,"startTicks":"1","bootId":"b"}',
  ])('that is damaged, or names init or a group, is no record: %j', (text) => {
    expect(parseRecord(text)).toBeUndefined();
  });

  test('of this process says that it runs', async () => {
    expect(await isRunning(await recordOf('me', process.pid))).toBe(true);
  });

  test('does not take another process with the same pid, or another boot, for its own', async () => {
    const me = await recordOf('me', process.pid);
    expect(await isRunning({ ...me, startTicks: '1' })).toBe(false);
    expect(await isRunning({ ...me, bootId: 'another' })).toBe(false);
  });
});
