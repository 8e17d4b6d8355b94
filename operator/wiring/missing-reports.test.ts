import { expect, test } from '@jest/globals';
import { buildSnapshot } from '../mesh/mesh-builder.ts';
import { pod, SETTINGS } from '../mesh/testing/objects.ts';
import { type MissingReportPorts, MissingReports } from './missing-reports.ts';

const NOW = 1_700_000_000_000;
const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const snapshot = buildSnapshot(
  SETTINGS,
  names.map((name) => ({ kind: 'Pod' as const, object: pod(name, { uid: name }) })),
);

function sentences(more: Partial<MissingReportPorts>, since = NOW - 60_000): string[] {
  const ports: MissingReportPorts = {
    snapshot: () => snapshot,
    lastReport: () => NOW - 5000,
    servingSince: () => NOW - 1_000_000,
    unheard: () => [],
    startedAt: NOW - 3_600_000,
    keptSince: () => 0,
    ...more,
  };
  return new MissingReports(ports).sentences(since, NOW);
}

test('nothing is missing while all report', () => {
  expect(sentences({})).toEqual([]);
});

test('pods that fell silent, or never reported, are named; those that do not serve are not waited for', () => {
  const reports = new Map([
    ['a', NOW - 40_000],
    ['b', NOW - 14_000],
  ]);
  const lastReport = (uid: string) => (uid === 'a' || uid === 'b' ? reports.get(uid) : undefined);
  const servingSince = (uid: string) => ({ a: NOW - 100_000, b: NOW - 100_000, c: NOW - 20_000, d: NOW - 2000 })[uid];
  expect(sentences({ lastReport, servingSince })).toEqual([
    'no report of shop/a since 40 s',
    'no report of shop/c since 20 s',
  ]);
});

test('of many some are named', () => {
  const found = sentences({ lastReport: () => undefined });
  expect(found).toHaveLength(6);
  expect(found.at(-1)).toBe('no report of 2 more pods');
});

test('a window from before all that is known, and a replica that is not heard, are named', () => {
  expect(sentences({ startedAt: NOW - 30_000, unheard: () => ['heddle-operator-2'] })).toEqual([
    'nothing is known from before 2023-11-14T22:12:50.000Z',
    'replica heddle-operator-2 of the operator does not report',
  ]);
  expect(sentences({ keptSince: () => NOW - 10_000 })).toEqual([
    'nothing is known from before 2023-11-14T22:13:10.000Z',
  ]);
});
