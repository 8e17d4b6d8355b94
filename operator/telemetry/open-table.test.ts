import { expect, test } from '@jest/globals';
import type { OpenSample, OpenThing } from './open-series.ts';
import { OpenTable } from './open-table.ts';
import { encodeLabels } from './testing/encoded-labels.ts';

const CLUSTER = 'outbound|80||ordering.shop.svc';

const sample = (thing: OpenThing, labels: Readonly<Record<string, string>>, value: number, at = 1000): OpenSample => ({
  ...{ thing, key: encodeLabels(labels), value, at },
});
const pool = (thing: OpenThing, value: number, at?: number, cluster = CLUSTER) =>
  sample(thing, { cluster_name: cluster }, value, at);
const listener = (address: string, value: number) =>
  sample('inbound connections', { 'envoy.listener_address': address }, value);
const manager = (prefix: string, value: number) =>
  sample('inbound requests', { 'envoy.http_conn_manager_prefix': prefix }, value);

test('what is open is told by pool, and at the inbound side in sum', () => {
  const table = new OpenTable();
  table.take('ui', [
    ...[listener('0.0.0.0_15006', 5), listener('0.0.0.0_15001', 9)],
    ...[manager('inbound_8080', 2), manager('inbound_9090', 1), manager('outbound_80', 7)],
    ...[pool('connections', 2), pool('active', 1), pool('pending', 4), pool('active', 3, 1000, 'xds-grpc')],
    pool('active', 2, 1000, 'inbound|8080||'),
  ]);
  const pools = new Map([
    [CLUSTER, { connections: 2, active: 1, pending: 4 }],
    ['inbound|8080||', { connections: 0, active: 2, pending: 0 }],
  ]);
  expect([table.inbound('ui'), table.pools('ui')]).toEqual([{ connections: 5, active: 3 }, pools]);
  table.forget('ui');
  for (const uid of ['ui', 'nobody']) expect([table.inbound(uid), table.pools(uid)]).toEqual([undefined, undefined]);
});

test('what the last flush does not have is gone, and one flush may come in parts', () => {
  const table = new OpenTable();
  const poolsOf = () => table.pools('ui')?.get(CLUSTER);
  table.take('ui', [pool('active', 1, 1000)]);
  table.take('ui', [listener('0.0.0.0_15006', 5), pool('connections', 2, 6000)]);
  expect(poolsOf()).toEqual({ connections: 2, active: 1, pending: 0 });
  table.take('ui', [pool('connections', 3, 11_000)]);
  expect(poolsOf()).toEqual({ connections: 3, active: 0, pending: 0 });
});

test('a proxy whose clock went back begins anew', () => {
  const table = new OpenTable();
  table.take('ui', [pool('active', 1, 500_000), pool('pending', 1, 500_000)]);
  table.take('ui', [pool('active', 2, 1000)]);
  expect(table.pools('ui')?.get(CLUSTER)).toEqual({ connections: 0, active: 2, pending: 0 });
});

test('of more pools than are kept nothing is told, and it is again when they are fewer', () => {
  const table = new OpenTable();
  const many = Array.from({ length: 4001 }, (_, index) => pool('active', 1, 1000, `outbound|80||host-${index}`));
  table.take('ui', many);
  expect([table.inbound('ui'), table.pools('ui')]).toEqual([undefined, undefined]);
  table.take('ui', [pool('active', 1, 20_000)]);
  expect(table.pools('ui')?.size).toBe(1);
});
