import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Agenda } from './agenda.ts';

function drain(agenda: Agenda<string>, now: number): string[] {
  const taken: string[] = [];
  for (let item = agenda.take(now); item !== undefined; item = agenda.take(now)) taken.push(item);
  return taken;
}

describe('an agenda', () => {
  test('gives pressing items by their time, then idle ones in the order in which they came', () => {
    const agenda = new Agenda<string>();
    agenda.addIdle('idle 2', 0);
    agenda.addIdle('idle 1', 1);
    agenda.add('late', 30);
    agenda.add('soon', 10);
    expect([agenda.nextAt(), agenda.take(-1)]).toEqual([0, undefined]);
    expect(drain(agenda, 20)).toEqual(['soon', 'idle 2', 'idle 1']);
    expect([agenda.nextAt(), drain(agenda, 30), agenda.nextAt()]).toEqual([30, ['late'], undefined]);
  });

  test('keeps the earliest time of an item, and gives it once', () => {
    const agenda = new Agenda<string>();
    agenda.add('a', 20);
    agenda.add('a', 10);
    agenda.add('a', 30);
    agenda.addIdle('b', 0);
    agenda.add('b', 5);
    agenda.add('c', 40);
    agenda.addIdle('c', 1);
    expect([agenda.nextAt(), drain(agenda, 10), agenda.nextAt(), drain(agenda, 100)]).toEqual([
      0,
      ['b', 'a', 'c'],
      undefined,
      [],
    ]);
  });

  test('an idle item that is put down again keeps its place', () => {
    const agenda = new Agenda<string>();
    for (const item of ['a', 'b', 'a']) agenda.addIdle(item, 0);
    expect(drain(agenda, 0)).toEqual(['a', 'b']);
  });

  test('gives all pressing items in order of the earliest time each was put down for', () => {
    const puts = fc.array(fc.tuple(fc.nat(40), fc.nat(1000)), { maxLength: 400 });
    const property = fc.property(puts, (list) => {
      const agenda = new Agenda<string>();
      const earliest = new Map<string, number>();
      for (const [item, at] of list) {
        agenda.add(`${item}`, at);
        earliest.set(`${item}`, Math.min(at, earliest.get(`${item}`) ?? at));
      }
      const times = drain(agenda, 1000).map((item) => earliest.get(item));
      expect(times).toEqual([...earliest.values()].sort((a, b) => a - b));
    });
    fc.assert(property);
  });
});
