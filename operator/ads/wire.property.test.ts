import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  ResourceSchema,
} from '../../generated/envoy/envoy/service/discovery/v3/discovery_pb.js';
import { StreamMetricsMessageSchema } from '../../generated/envoy/envoy/service/metrics/v3/metrics_service_pb.js';
import { decodeDeltaRequest, decodeStreamIdentifier } from './request.ts';
import { encodeAbsentResource, ResponseMessage } from './response.ts';
import { wholeMessage } from './testing/whole-message.ts';

const names = fc.array(fc.string({ maxLength: 300 }), { maxLength: 5 });

describe('delta discovery on the wire', () => {
  test('a request is read as the generated code wrote it', () => {
    const versions = fc.dictionary(fc.string({ minLength: 1 }), fc.string());
    fc.assert(
      fc.property(names, names, versions, fc.string(), (subscribe, unsubscribe, initial, text) => {
        const message = create(DeltaDiscoveryRequestSchema, {
          node: { id: text, cluster: 'c', metadata: { a: 'b' } },
          typeUrl: 't',
          resourceNamesSubscribe: subscribe,
          resourceNamesUnsubscribe: unsubscribe,
          initialResourceVersions: initial,
          responseNonce: text,
          errorDetail: { code: 3, message: text },
        });
        expect(decodeDeltaRequest(toBinary(DeltaDiscoveryRequestSchema, message))).toEqual({
          nodeId: text,
          typeUrl: 't',
          subscribe,
          unsubscribe,
          initialVersions: new Map(Object.entries(initial)),
          nonce: text,
          error: text,
        });
      }),
    );
  });

  test('a request without a Node and without an error says so', () => {
    const request = decodeDeltaRequest(toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema)));
    expect(request).toMatchObject({ nodeId: undefined, error: undefined, nonce: '', subscribe: [] });
  });

  test('a rejection is kept to a bounded length', () => {
    const message = create(DeltaDiscoveryRequestSchema, { errorDetail: { message: 'x'.repeat(100_000) } });
    expect(decodeDeltaRequest(toBinary(DeltaDiscoveryRequestSchema, message)).error?.length).toBeLessThan(3000);
  });

  test('a response is read by the generated code as it was meant', () => {
    fc.assert(
      fc.property(
        names,
        names,
        fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 40_000 })),
        fc.integer({ min: 10, max: 5000 }),
        (present, removed, size, pieceBytes) => {
          const resources = present.map((name) => create(ResourceSchema, { name, version: 'x'.repeat(size) }));
          const message = new ResponseMessage({
            typeUrl: 't',
            nonce: '7',
            resources: resources.map((resource) => toBinary(ResourceSchema, resource)),
            removed,
          });
          const bytes = wholeMessage(message, pieceBytes);
          expect(bytes.length).toBe(message.size);
          expect(message.framedSize).toBe(message.size + 5);
          const read = fromBinary(DeltaDiscoveryResponseSchema, bytes);
          expect(read).toMatchObject({ typeUrl: 't', nonce: '7', removedResources: removed });
          expect(read.resources).toEqual(resources);
        },
      ),
    );
  });

  test('an absent resource has name and alias and nothing else', () => {
    expect(fromBinary(ResourceSchema, encodeAbsentResource('80/x'))).toEqual(
      create(ResourceSchema, { name: '80/x', aliases: ['80/x'] }),
    );
  });

  test('the sender of metrics is found in the first message', () => {
    const message = create(StreamMetricsMessageSchema, { identifier: { node: { id: 'n', cluster: 'c' } } });
    expect(decodeStreamIdentifier(toBinary(StreamMetricsMessageSchema, message))).toBe('n');
    expect(decodeStreamIdentifier(new Uint8Array())).toBe('');
  });

  test('any bytes are read or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        for (const decode of [decodeDeltaRequest, decodeStreamIdentifier]) {
          try {
            decode(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(Error);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });
});
