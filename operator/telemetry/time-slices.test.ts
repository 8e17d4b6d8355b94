import { expect, test } from '@jest/globals';
import { TimeSlices } from './time-slices.ts';

/** Ms after the epoch of the first slice. */
const BEGIN = 1_700_000_000_000;
const SUBJECT = 'caller|orders.shop.svc|a';

/** Slices of which each has one request more than the one before, the first one; with a pause after every second. */
function slicesOf(count: number): TimeSlices {
  const slices = new TimeSlices();
  for (let nth = 0; nth < count; nth++) {
    slices.cell(BEGIN + nth * 2000, SUBJECT).requests += nth + 1;
    slices.cell(BEGIN + nth * 2000, 'another').requests += 100;
  }
  return slices;
}

function visited(slices: TimeSlices, since: number, until: number): number[] {
  const requests: number[] = [];
  slices.each(BEGIN + since, BEGIN + until, SUBJECT, (cell) => requests.push(cell.requests));
  return requests;
}

// A window that is shorter than what is kept, and the same one where it is longer.
test.each([100, 3])('of %i slices those that begin in the window are visited', (count) => {
  const slices = slicesOf(count);
  expect(visited(slices, 0, 4000)).toEqual([1, 2]);
  expect(visited(slices, 1, 4001)).toEqual([2, 3]);
  expect(visited(slices, 2000, 4000)).toEqual([2]);
  expect(visited(slices, 2001, 4000)).toEqual([]);
  expect(visited(slices, -10_000, 3000)).toEqual([1, 2]);
});

test('adjoining windows share no slice and leave none out', () => {
  const slices = slicesOf(50);
  for (const edge of [1, 999, 1000, 1001, 30_500, 98_000]) {
    const both = [...visited(slices, 0, edge), ...visited(slices, edge, 100_000)];
    expect(both).toEqual(Array.from({ length: 50 }, (_, nth) => nth + 1));
  }
});

test('what is much of is kept the longer: of an old window at most a sixth is forgotten, and nothing is counted twice', () => {
  const slices = new TimeSlices();
  const subjects = Array.from({ length: 4000 }, (_, nth) => `caller|${nth}`);
  // A thousand Services with two revisions each, seen from both sides of the call: more than twice what fits in slices of a second.
  const seconds = 120;
  for (let second = 0; second < seconds; second++) {
    for (const subject of subjects) {
      const cell = slices.cell(BEGIN + second * 1000, subject);
      cell.requests += 1;
      cell.durations.add({ total: 1, buckets: [{ upperMs: 5, cumulative: 1 }] });
    }
  }
  const end = BEGIN + seconds * 1000;
  expect(slices.keptSince).toBeLessThanOrEqual(BEGIN);
  for (const age of [1, 2, 5, 10, 30, 60, 115, 120]) {
    let requests = 0;
    let timed = 0;
    slices.each(end - age * 1000, end, 'caller|7', (cell) => {
      requests += cell.requests;
      timed += cell.durations.buckets().reduce((sum, { count }) => sum + count, 0);
    });
    expect(requests).toBeLessThanOrEqual(age);
    expect(requests).toBeGreaterThanOrEqual(age * (5 / 6));
    expect(timed).toBe(requests);
  }
  slices.prune(end + 15 * 60_000 - 60_000);
  expect(slices.keptSince).toBeGreaterThan(end - 120_000);
  expect(slices.keptSince).toBeLessThanOrEqual(end - 60_000);
});
