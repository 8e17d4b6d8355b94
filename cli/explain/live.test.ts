import { fromBinary, toJson } from '@bufbuild/protobuf';
import { expect, test } from '@jest/globals';
import { VirtualHostSchema } from '../../generated/envoy/envoy/config/route/v3/route_components_pb.js';
import { ResourceSchema } from '../../generated/envoy/envoy/service/discovery/v3/discovery_pb.js';
import type { MeshObject } from '../../operator/mesh/mesh-object.ts';
import type { MeshSnapshot } from '../../operator/mesh/snapshot.ts';
import { authorizationPolicy, virtualService } from '../../operator/mesh/testing/objects.ts';
import { INBOUND_LISTENER } from '../../operator/xds/names.ts';
import { CLUSTER_TYPE, LISTENER_TYPE, VIRTUAL_HOST_TYPE } from '../../operator/xds/resource.ts';
import { envoyRegistry } from '../../operator/xds/testing/envoy-registry.ts';
import { wholeDelta } from '../../operator/xds/whole-delta.ts';
import { XdsCache } from '../../operator/xds/xds-cache.ts';
import { compareCaller, compareServer } from './live.ts';
import { ask, shop } from './testing/shop.ts';

const REGISTRY = envoyRegistry();
const HOST = '80/ordering.shop.svc.cluster.local';
const CLUSTER = 'outbound|80||ordering.shop.svc.cluster.local';
const routed: MeshObject = {
  kind: 'VirtualService',
  object: virtualService('shop/routes', {
    hosts: ['ordering'],
    http: [
      {
        route: [{ destination: { host: 'ordering' } }],
        fault: { delay: { fixedDelay: '1s', percentage: { value: 1 } } },
      },
    ],
  }),
};
const denied: MeshObject = {
  kind: 'AuthorizationPolicy',
  object: authorizationPolicy('shop/deny', { action: 'DENY', rules: [{}] }),
};

function cacheOf(mesh: MeshSnapshot): XdsCache {
  const cache = new XdsCache();
  cache.update(mesh, wholeDelta(mesh));
  return cache;
}

/** The admin interface of a sidecar that holds what a mesh says. @param addresses of its endpoints */
function admin(mesh: MeshSnapshot, uid: string, addresses: readonly string[]) {
  const cache = cacheOf(mesh);
  const identity = { uid, podName: '', namespace: 'shop', serviceAccount: '' };
  const host = cache.lookup(identity, VIRTUAL_HOST_TYPE, HOST);
  const value = host && fromBinary(ResourceSchema, host.bytes).resource?.value;
  const virtualHost =
    value &&
    toJson(VirtualHostSchema, fromBinary(VirtualHostSchema, value), { registry: REGISTRY, useProtoFieldName: true });
  const answers: Readonly<Record<string, unknown>> = {
    dynamic_route_configs: { configs: [{ route_config: { virtual_hosts: [virtualHost] } }] },
    dynamic_active_clusters: {
      configs: [{ version_info: cache.lookup(identity, CLUSTER_TYPE, CLUSTER)?.version, cluster: { name: CLUSTER } }],
    },
    dynamic_listeners: {
      configs: [
        {
          name: INBOUND_LISTENER,
          active_state: { version_info: cache.lookup(identity, LISTENER_TYPE, INBOUND_LISTENER)?.version },
        },
      ],
    },
    clusters: {
      cluster_statuses: [
        {
          name: CLUSTER,
          host_statuses: addresses.map((address) => ({ address: { socket_address: { address, port_value: 8080 } } })),
        },
      ],
    },
  };
  return {
    json: async <T>(path: string) => {
      const [, name = ''] = /resource=(\w+)/.exec(path) ?? /^\/(clusters)/.exec(path) ?? [];
      return answers[name] as T;
    },
  };
}

async function caller(held: MeshSnapshot, now: MeshSnapshot, addresses = ['10.0.1.1', '10.0.1.2']) {
  const workload = now.workloads.get('uid-ui-1');
  if (workload === undefined) throw new Error('there is a UI');
  const backends = ask(now).outcomes.flatMap(({ backend }) => backend ?? []);
  return compareCaller(admin(held, 'uid-ui-1', addresses), cacheOf(now), workload, backends, HOST);
}

test('a sidecar that has followed has all as the objects say', async () => {
  const found = await caller(shop([routed]), shop([routed]));
  expect(found.map(({ ok }) => ok)).toEqual([true, true]);
  expect(found[0]?.text).toBe(
    'the sidecar of shop/ui-1, routes of ordering.shop.svc.cluster.local: as the objects say',
  );
});

test('routes that are older are told, to the fault', async () => {
  const [routes, cluster] = await caller(shop(), shop([routed]));
  expect(routes).toMatchObject({
    ok: false,
    text: expect.stringContaining('it has something else than the objects say'),
  });
  expect(cluster?.ok).toBe(true);
});

test('endpoints that it lacks, and that it still has, are told', async () => {
  const found = await caller(shop(), shop(), ['10.0.1.1', '10.0.1.9']);
  expect(found.filter(({ ok }) => !ok)).toEqual([
    {
      ok: false,
      text: `the sidecar of shop/ui-1, endpoints of ${CLUSTER}: does not have 10.0.1.2:8080 and still has 10.0.1.9:8080`,
    },
  ]);
});

test('what a sidecar does not have yet is no fault where it loads on demand, and one where it does not', async () => {
  const now = shop([routed]);
  const workload = now.workloads.get('uid-ui-1');
  if (workload === undefined) throw new Error('there is a UI');
  const backends = ask(now).outcomes.flatMap(({ backend }) => backend ?? []);
  const nothing = { json: async <T>() => ({}) as T };
  const found = (onDemand: boolean) => compareCaller(nothing, cacheOf(now), { ...workload, onDemand }, backends, HOST);
  const lazy = await found(true);
  expect(lazy).toHaveLength(2);
  for (const { ok, text } of lazy) expect([ok, text]).toEqual([true, expect.stringMatching(/: fetched at the first/)]);
  expect((await found(false)).map(({ ok, text }) => [ok, /: it has nothing of it$/.test(text)])).toEqual([
    [false, true],
    [false, true],
  ]);
});

test('a server that has not followed a policy is told', async () => {
  const now = shop([denied]);
  const server = now.workloads.get('uid-ordering-v1');
  if (server === undefined) throw new Error('there is an Ordering');
  expect(await compareServer(admin(now, server.uid, []), cacheOf(now), server)).toMatchObject([{ ok: true }]);
  expect(await compareServer(admin(shop(), server.uid, []), cacheOf(now), server)).toMatchObject([{ ok: false }]);
});
