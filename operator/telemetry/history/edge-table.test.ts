import { expect, test } from '@jest/globals';
import { type Edge, EdgeTable } from './edge-table.ts';

const edge = (source: number): Edge => ({
  source: `shop/${source}`,
  destination: 'shop/ordering',
  transport: 'http',
  reporter: 'source',
});
const sent = (of: Edge) => ({ kind: 'sent' as const, edge: of });

test('unused counters are forgotten a few edges at a time, and those in use are not', () => {
  const table = new EdgeTable({ edges: 100 });
  for (let source = 0; source < 110; source++) table.number(edge(source), 'sent', source < 50 ? 1 : 9, sent);
  expect([table.size, table.leftOut.size]).toEqual([100, 10]);
  table.forget(5);
  expect(table.size).toBe(80);
  for (let call = 0; call < 10; call++) table.forget(5);
  expect([table.size, table.leftOut.size]).toEqual([50, 10]);
  // Numbers are given anew, and the next pass finds what came meanwhile.
  for (let source = 200; source < 240; source++) table.number(edge(source), 'sent', 9, sent);
  expect(table.length).toBe(100);
  for (let call = 0; call < 12; call++) table.forget(10);
  expect([table.size, table.leftOut.size]).toEqual([0, 0]);
});
