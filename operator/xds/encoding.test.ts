import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import { ClusterSchema } from '../../generated/envoy/envoy/config/cluster/v3/cluster_pb.js';
import { ResourceSchema } from '../../generated/envoy/envoy/service/discovery/v3/discovery_pb.js';
import { contentHash, encodeField, encodeResource, milliseconds } from './encoding.ts';
import { CLUSTER_TYPE } from './resource.ts';

describe('encodeResource', () => {
  test('writes what the protobuf library reads', () => {
    const value = toBinary(ClusterSchema, create(ClusterSchema, { name: 'x'.repeat(300) }));
    const { bytes, version } = encodeResource(CLUSTER_TYPE, 'some name', value);
    const resource = fromBinary(ResourceSchema, bytes);
    expect(resource).toMatchObject({ name: 'some name', version, resource: { typeUrl: CLUSTER_TYPE } });
    expect(Buffer.compare(resource.resource?.value ?? new Uint8Array(), value)).toBe(0);
  });

  test.each([0, 1, 127, 128, 20_000, 3_000_000])('takes a message of %i bytes', (size) => {
    const value = Buffer.alloc(size, 7);
    const { bytes } = encodeResource(CLUSTER_TYPE, 'n', value, 'v');
    expect(Buffer.compare(fromBinary(ResourceSchema, bytes).resource?.value ?? new Uint8Array(), value)).toBe(0);
  });

  test('keeps no memory but its own', () => {
    const { bytes } = encodeResource(CLUSTER_TYPE, 'n', Buffer.alloc(100), 'v');
    expect(bytes.buffer.byteLength).toBe(bytes.length);
  });
});

test('a field is its tag, its length and its bytes', () => {
  expect([...encodeField(2, new Uint8Array([9, 8]))]).toEqual([18, 2, 9, 8]);
});

test('a hash tells where one part ends and the next begins', () => {
  expect(contentHash('ab', 'c')).not.toBe(contentHash('a', 'bc'));
  expect(contentHash('abc')).toMatch(/^[0-9a-f]{16}$/);
});

test.each([
  [1250, { seconds: 1n, nanos: 250_000_000 }],
  [1.1, { seconds: 0n, nanos: 1_100_000 }],
  [999.9999999, { seconds: 1n, nanos: 0 }],
  [315_576_000_000_000, { seconds: 3_153_600_000n, nanos: 0 }],
])('%d ms become seconds and nanoseconds', (value, duration) => {
  expect(milliseconds(value)).toMatchObject(duration);
});
