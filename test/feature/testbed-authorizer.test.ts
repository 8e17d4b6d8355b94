import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import {
  CheckRequestSchema,
  CheckResponseSchema,
} from '../../generated/envoy/envoy/service/auth/v3/external_auth_pb.js';
import { decideCheck } from '../e2e/testbed/authorizer.ts';

/** The testbed has no library for protobuf: what it makes of Envoy's messages is held against one that has. */
const ask = (attributes: Parameters<typeof create<typeof CheckRequestSchema>>[1]) => {
  const question = toBinary(CheckRequestSchema, create(CheckRequestSchema, attributes));
  return fromBinary(CheckResponseSchema, decideCheck(Buffer.from(question)));
};
const request = (headers: Record<string, string>) =>
  ask({
    attributes: {
      source: { principal: 'spiffe://cluster.local/ns/shop/sa/ui' },
      request: { time: { seconds: 1_800_000_000n, nanos: 5 }, http: { id: '1', method: 'GET', headers, size: -1n } },
    },
  });
const connection = (account: string) =>
  ask({ attributes: { source: { principal: `spiffe://cluster.local/ns/shop/sa/${account}` } } });

describe('the authorizer of the testbed', () => {
  test('allows a request with its verdict, and says what becomes of headers', () => {
    const { status, httpResponse } = request({ 'x-verdict': 'allow', 'x-long': 'x'.repeat(300) });
    expect(status?.code).toBe(0);
    expect(httpResponse.case === 'okResponse' && httpResponse.value).toMatchObject({
      headers: [{ header: { key: 'x-user', value: 'bob' } }],
      headersToRemove: ['x-verdict'],
      responseHeadersToAdd: [{ header: { key: 'x-checked', value: 'grpc' } }],
    });
  });

  test('denies any other, with an answer of its own', () => {
    const { status, httpResponse } = request({ 'x-verdict': 'no' });
    expect(status?.code).toBe(7);
    expect(httpResponse.case === 'deniedResponse' && httpResponse.value).toMatchObject({
      status: { code: 402 },
      headers: [{ header: { key: 'x-why', value: 'unpaid' } }],
      body: 'pay first',
    });
  });

  test('lets everybody connect but strangers', () => {
    expect(connection('ui').status?.code).toBe(0);
    expect(connection('stranger').status?.code).toBe(7);
    expect(ask({}).status?.code).toBe(0);
  });
});
