import { create, toBinary } from '@bufbuild/protobuf';
import { DeltaDiscoveryRequestSchema } from '../../../generated/envoy/envoy/service/discovery/v3/discovery_pb.js';
import { decodeOrRefuse, RefusalError } from '../../../operator/ads/refusal.ts';
import { decodeDeltaRequest } from '../../../operator/ads/request.ts';
import {
  CLUSTER_TYPE,
  LISTENER_TYPE,
  ROUTE_TYPE,
  SECRET_TYPE,
  VIRTUAL_HOST_TYPE,
} from '../../../operator/xds/resource.ts';
import type { Target } from '../target.ts';
import { MESSAGE_BYTES, ofShortParts, repeated } from './repeated.ts';

const NODE = 'sidecar~10.0.0.1~web-1.shop~shop.svc.cluster.local';

type Fields = Parameters<typeof create<typeof DeltaDiscoveryRequestSchema>>[1];

/** A request as Envoy sends it. */
export function deltaRequest(fields: Fields): Uint8Array {
  return toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, fields));
}

/** Those of a proxy that starts, comes back, asks on demand, and refuses. */
export const REQUESTS: readonly Uint8Array[] = [
  { node: { id: NODE }, typeUrl: CLUSTER_TYPE },
  { node: { id: NODE, cluster: 'web.shop' }, typeUrl: SECRET_TYPE, resourceNamesSubscribe: ['default', 'ROOTCA'] },
  { typeUrl: CLUSTER_TYPE, initialResourceVersions: { a: '1', 'outbound|80||web.shop.svc.cluster.local': '2' } },
  { typeUrl: LISTENER_TYPE, responseNonce: '1' },
  { typeUrl: ROUTE_TYPE, resourceNamesSubscribe: ['80', '*'], responseNonce: '2' },
  { typeUrl: VIRTUAL_HOST_TYPE, resourceNamesSubscribe: ['80/web', '80/*'] },
  { typeUrl: VIRTUAL_HOST_TYPE, resourceNamesUnsubscribe: ['80/web', '*'], responseNonce: '3' },
  {
    typeUrl: CLUSTER_TYPE,
    responseNonce: '1',
    errorDetail: { code: 13, message: 'Error adding/updating cluster(s) a: no' },
  },
].map(deltaRequest);

/** Requests of proxies, before anything is made of them. */
export const target: Target = {
  name: 'delta-request',
  about: 'delta discovery requests, of proxies',
  form: 'protobuf',
  seeds: REQUESTS,
  *largest() {
    // Node, names, versions, an error, a number and groups, each without content, or with a little.
    yield* ofShortParts([
      '0a00',
      '0a020a00',
      '1200',
      '1a00',
      '1a0161',
      '2200',
      '2a00',
      '2a020a00',
      '3200',
      '3a00',
      '7800',
      '7b',
    ]);
    const many = repeated(Buffer.from('1200', 'hex'), MESSAGE_BYTES);
    yield deltaRequest({ node: { id: 'a'.repeat(MESSAGE_BYTES) } });
    yield deltaRequest({ errorDetail: { message: 'a'.repeat(MESSAGE_BYTES) } });
    yield Buffer.concat([Buffer.from([0x3a, 0xc0, 0xff, 0xff, 0x01]), many]);
  },
  run(bytes) {
    try {
      decodeOrRefuse(bytes, decodeDeltaRequest);
    } catch (error) {
      if (!(error instanceof RefusalError)) throw error;
    }
  },
};
