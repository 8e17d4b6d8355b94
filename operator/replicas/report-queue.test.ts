import { expect, test } from '@jest/globals';
import type { ProxyReport } from '../ads/ack-report.ts';
import { CLUSTER_TYPE, SECRET_TYPE } from '../xds/resource.ts';
import { ReportQueue } from './report-queue.ts';

const MIB = 1 << 20;

/** A proxy that has version 1 of whatever it is asked about. */
const report: ProxyReport = {
  identity: { uid: 'u', podName: 'p', namespace: 'n', serviceAccount: 's' },
  connected: true,
  connectedAt: 0,
  acknowledged: () => 'abc.1.0a',
  versions: () => [],
  rejections: () => [],
};

const tellAll = (queue: ReportQueue) => {
  const messages = [];
  for (let next = queue.next(); next !== undefined; next = queue.next()) messages.push(next);
  return messages;
};

test('of metrics that nobody takes the newest are kept, up to a bound', () => {
  const queue = new ReportQueue(() => report);
  for (let i = 0; i < 20; i++) queue.metrics(`${i}`, new Uint8Array(MIB));
  expect([queue.waiting, queue.dropped]).toEqual([16, 4]);
  const told = tellAll(queue).flatMap(({ metrics }) => metrics.map(({ uid }) => uid));
  expect(told).toEqual(Array.from({ length: 16 }, (_, i) => `${i + 4}`));
});

test('metrics that were told take no room from others', () => {
  const queue = new ReportQueue(() => report);
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 16; i++) queue.metrics('u', new Uint8Array(MIB));
    tellAll(queue);
  }
  expect(queue.dropped).toBe(0);
});

test('of secrets those of the mesh are told, without whose certificate it is, and no user’s', () => {
  const queue = new ReportQueue(() => report);
  queue.resources('u', SECRET_TYPE, ['default', 'ROOTCA', 'kubernetes://shop/payment']);
  queue.resources('u', CLUSTER_TYPE, ['a']);
  const terms = tellAll(queue).flatMap((message) => message.terms);
  expect(terms.map(({ name, version }) => `${name} ${version}`)).toEqual([
    'default abc',
    'ROOTCA abc.1.0a',
    'a abc.1.0a',
  ]);
});
