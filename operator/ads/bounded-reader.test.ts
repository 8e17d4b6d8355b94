import { describe, expect, test } from '@jest/globals';
import { decodeLimitRequest } from '../ratelimit/limit-request.ts';
import { decodeMetricsMessage } from '../telemetry/metrics-message.ts';
import { BoundedReader, MAX_PARTS } from './bounded-reader.ts';
import { decodeDeltaRequest, decodeStreamIdentifier } from './request.ts';

/** Of a request for resources. */
const MAX_NAMES = 100_000;

/** So many of a part, given in hexadecimal. */
const many = (hex: string, count: number): Buffer => Buffer.alloc((count * hex.length) / 2, Buffer.from(hex, 'hex'));
/** A message around another. @param head its tag */
const around = (head: number, inner: Uint8Array): Buffer => {
  const length = [0, 7, 14, 21].map((shift) => ((inner.length >>> shift) & 127) | 128);
  return Buffer.concat([Buffer.from([head, ...length, 0]), inner]);
};

describe('a reader with a bound', () => {
  test('counts the parts of messages within messages', () => {
    const reader = new BoundedReader(Buffer.from('0a040a000a000a00', 'hex'), 3);
    reader.tag();
    const inner = reader.nested();
    for (const _ of [1, 2]) {
      inner.tag();
      expect(inner.string()).toBe('');
    }
    reader.tag();
    expect(() => reader.nested()).toThrow('it has more than 3 parts');
  });

  const refused = 'it has more than 150000 parts';

  test.each<[string, string]>([
    ['names', '1a00'],
    ['names to unsubscribe', '2200'],
    ['versions', '2a00'],
    ['nodes', '0a00'],
    ['errors', '3a00'],
  ])('takes no request with millions of %s', (_, hex) => {
    expect(() => decodeDeltaRequest(many(hex, MAX_NAMES + 1))).toThrow('it has more than 100000 parts');
  });

  test('takes as many names as the largest mesh has', () => {
    expect(decodeDeltaRequest(many('1a00', MAX_NAMES)).subscribe).toHaveLength(MAX_NAMES);
  });

  test('takes no error with millions of messages', () => {
    expect(() => decodeDeltaRequest(around(0x3a, many('1200', MAX_NAMES)))).toThrow('it has more than 100000 parts');
  });

  test('takes no metrics with millions of families, or of metrics of one', () => {
    expect(() => decodeMetricsMessage(many('1200', MAX_PARTS + 1))).toThrow(refused);
    expect(() => decodeMetricsMessage(around(0x12, many('2200', MAX_PARTS)))).toThrow(refused);
    const durations = Buffer.from('istio_request_duration_milliseconds');
    const buckets = around(0x22, around(0x3a, many('1a00', MAX_PARTS)));
    expect(() => decodeMetricsMessage(around(0x12, Buffer.concat([around(0x0a, durations), buckets])))).toThrow(
      refused,
    );
    expect(decodeStreamIdentifier(many('1200', MAX_PARTS + 1))).toBe('');
  });

  test('takes no question about thousands of limits', () => {
    expect(() => decodeLimitRequest(many('1200', 10_001))).toThrow('it has more than 10000 parts');
    expect(() => decodeLimitRequest(around(0x12, many('0a00', 10_001)))).toThrow('it has more than 10000 parts');
  });
});
