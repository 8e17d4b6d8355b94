import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { Registry } from 'prom-client';
import { silentLogger } from '../../../kube/logger.ts';
import { type DeltaContext, DeltaConversation } from '../../../operator/ads/delta-conversation.ts';
import { createInstruments } from '../../../operator/ads/instruments.ts';
import type { Call } from '../../../operator/ads/proxy-call.ts';
import { ProxyRegistry } from '../../../operator/ads/proxy-registry.ts';
import { RefusalError } from '../../../operator/ads/refusal.ts';
import { ResourceRegistry } from '../../../operator/ads/resource-registry.ts';
import { ADS_SETTINGS } from '../../../operator/ads/server.ts';
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  LISTENER_TYPE,
  ROUTE_TYPE,
  SECRET_TYPE,
  VIRTUAL_HOST_TYPE,
} from '../../../operator/xds/resource.ts';
import { ResourceTable, textResource } from '../../feature/support/resource-table.ts';
import type { Target } from '../target.ts';
import { deltaRequest, REQUESTS } from './delta-request.ts';

const TYPES = [CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE, VIRTUAL_HOST_TYPE, SECRET_TYPE];
const identity = { uid: 'u', podName: 'web-1', namespace: 'shop', serviceAccount: 'default' };

const table = new ResourceTable(TYPES);
table.update(TYPES.flatMap((type) => ['a', '80', 'default'].map((name) => textResource(type, name, name))));

function context(): DeltaContext {
  const proxies = new ProxyRegistry();
  const instruments = createInstruments(new Registry(), { connected: 0, waiting: 0 });
  return {
    proxies,
    resources: new ResourceRegistry([table]),
    memory: undefined,
    instruments,
    logger: silentLogger,
    settings: ADS_SETTINGS,
  };
}

let shared = context();
let streams = 0;

/** Requests one after the other, as fields of a message that holds them. */
function streamOf(requests: readonly Uint8Array[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const request of requests) writer.tag(1, WireType.LengthDelimited).bytes(request);
  return writer.finish();
}

function requestsOf(bytes: Uint8Array): Buffer[] {
  const reader = new BinaryReader(bytes);
  const requests: Buffer[] = [];
  try {
    while (reader.pos < reader.len) {
      const [, wireType] = reader.tag();
      if (wireType === WireType.LengthDelimited) requests.push(Buffer.from(reader.bytes()));
      else reader.skip(wireType);
    }
  } catch {
    // What came before is a stream as well.
  }
  return requests;
}

/** Whole streams of a proxy. */
export const target: Target = {
  name: 'delta-stream',
  about: 'delta discovery streams, of proxies, up to the responses',
  form: 'protobuf',
  seeds: [streamOf(REQUESTS), ...REQUESTS.map((request) => streamOf([request]))],
  *largest() {
    const names = Array.from({ length: 99_000 }, (_, index) => `n${index}`);
    const held = Object.fromEntries(names.slice(0, 33_000).map((name) => [name, '1']));
    for (const typeUrl of [...TYPES, 'x']) {
      yield streamOf([deltaRequest({ typeUrl, resourceNamesSubscribe: names })]);
      yield streamOf([deltaRequest({ typeUrl, resourceNamesUnsubscribe: names })]);
      yield streamOf([deltaRequest({ typeUrl, initialResourceVersions: held })]);
    }
  },
  run(bytes) {
    // What is remembered of proxies that were here is for others to bound.
    if (++streams % 1000 === 0) shared = context();
    const call = {
      getPeer: () => '10.0.0.1:4711',
      sendMetadata: () => undefined,
      call: { stream: { writable: true, write: (_: Buffer, done: () => void) => done() } },
    };
    const conversation = new DeltaConversation(shared).on(call as unknown as Call);
    const proxy = { identity, expiresAt: 0, checkNodeId: () => undefined };
    const listener = conversation.start(proxy, () => undefined);
    try {
      for (const request of requestsOf(bytes)) listener.message(request);
    } catch (error) {
      if (!(error instanceof RefusalError)) throw error;
    } finally {
      listener.closed();
    }
  },
};
