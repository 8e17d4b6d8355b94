import { create, toBinary } from '@bufbuild/protobuf';
import { ListenerSchema } from '../../../generated/envoy/envoy/config/listener/v3/listener_pb.js';
import type { MeshSettings } from '../../../operator/mesh/snapshot.ts';
import { buildOutboundManager } from '../../../operator/xds/connection-managers.ts';
import { encodeResource } from '../../../operator/xds/encoding.ts';
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  LISTENER_TYPE,
  type ProxyIdentity,
  type ResourceSource,
  ROUTE_TYPE,
  VIRTUAL_HOST_TYPE,
  type XdsResource,
} from '../../../operator/xds/resource.ts';
import { buildStatsLoggers, outboundTags } from '../../../operator/xds/stats-logger.ts';
import { MeshCache } from '../../../operator/xds/testing/mesh-cache.ts';
import type { XdsCache } from '../../../operator/xds/xds-cache.ts';
import type { AdsHarness, TestPod } from './ads-harness.ts';
import { ResourceTable } from './resource-table.ts';

const ALL_BUT_LISTENERS = [CLUSTER_TYPE, ENDPOINT_TYPE, ROUTE_TYPE, VIRTUAL_HOST_TYPE];

/** A mesh whose resources go to streams, but for listeners: those are the test's, since a proxy without redirection is not reached by the mesh's. */
export class MeshOnStream extends MeshCache {
  readonly listeners = new ResourceTable([LISTENER_TYPE]);
  readonly sources: readonly ResourceSource[];

  /** @param typeUrls of the resources that go to streams */
  constructor(settings: MeshSettings, typeUrls: readonly string[] = ALL_BUT_LISTENERS) {
    super(settings);
    this.sources = [partOf(this.cache, typeUrls), this.listeners];
  }
}

function partOf(cache: XdsCache, typeUrls: readonly string[]): ResourceSource {
  return {
    typeUrls,
    wildcard: (proxy, typeUrl) => cache.wildcard(proxy, typeUrl),
    wildcardNames: (proxy, typeUrl) => cache.wildcardNames(proxy, typeUrl),
    inWildcard: (proxy, typeUrl, name) => cache.inWildcard(proxy, typeUrl, name),
    isOneByOne: (proxy, typeUrl) => cache.isOneByOne(proxy, typeUrl),
    answer: (proxy, typeUrl, asked) => cache.answer(proxy, typeUrl, asked),
    answersState: () => cache.answersState(),
    companions: (proxy, typeUrl, name) => cache.companions(proxy, typeUrl, name),
    fallback: (typeUrl, collection) => cache.fallback(typeUrl, collection),
    members: (typeUrl, collection) => cache.members(typeUrl, collection),
    lookup: (proxy, typeUrl, name) => cache.lookup(proxy, typeUrl, name),
    onChange: (listener) => cache.onChange(listener),
  };
}

/**
 * A listener of loopback for HTTP with the routes of a port of the mesh; its name is `on PORT`.
 * @param at the port on which it listens
 */
export function httpListener(at: number, port: number, onDemand = false): XdsResource {
  const loggers = buildStatsLoggers(outboundTags());
  const manager = buildOutboundManager(`outbound_${port}`, String(port), loggers, onDemand);
  const name = `on ${port}`;
  const portSpecifier = { case: 'portValue' as const, value: at };
  const message = create(ListenerSchema, {
    name,
    address: { address: { case: 'socketAddress', value: { address: '127.0.0.1', portSpecifier } } },
    filterChains: [{ filters: [manager] }],
  });
  return encodeResource(LISTENER_TYPE, name, toBinary(ListenerSchema, message));
}

/** Resources that a control plane has sent so far, by the last part of their type's URL. */
export async function sentResources({ registry }: AdsHarness): Promise<Map<string, number>> {
  const metric = await registry.getSingleMetric('heddle_ads_pushed_resources_total')?.get();
  return new Map(metric?.values.map(({ labels, value }) => [String(labels.type), value]));
}

/** Who a test's pod is to the cache. */
export function identityOf({ uid, name, namespace, serviceAccount }: TestPod): ProxyIdentity {
  return { uid, podName: name, namespace, serviceAccount };
}
