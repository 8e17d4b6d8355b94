import type { JsonObject } from '@bufbuild/protobuf';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { DestinationRuleSpec } from '../../api/destination-rule.ts';
import { extensionProviders } from '../../api/extension-provider.ts';
import { authorizationPolicy, destinationRule, SETTINGS as MESH, pod, serviceEntry } from '../mesh/testing/objects.ts';
import { CLUSTER_TYPE } from './resource.ts';
import { envoyRegistry } from './testing/envoy-registry.ts';
import { MeshCache } from './testing/mesh-cache.ts';
import { proxyOf } from './testing/mesh-fixture.ts';
import { resourceJson } from './testing/resource-json.ts';

const HOST = 'login.example.com';
const NAME = `authorizer|80|http|auth/${HOST}`;
const provider = { name: 'login', envoyExtAuthzHttp: { service: `auth/${HOST}`, port: 80 } };
const settings = { ...MESH, extensionProviders: extensionProviders.parse([provider]) };
const registry = envoyRegistry();
const ports = [{ number: 80, name: 'http', protocol: 'HTTP' }];

let mesh: MeshCache;
const clusterOf = (uid: string): JsonObject | undefined => {
  const found = mesh.cache.wildcard(proxyOf(uid), CLUSTER_TYPE).get(NAME);
  return found && resourceJson(found, registry);
};
const putRule = (namespace: string, trafficPolicy: NonNullable<DestinationRuleSpec['trafficPolicy']>) =>
  mesh.put({ kind: 'DestinationRule', object: destinationRule(`${namespace}/rule`, { host: HOST, trafficPolicy }) });

beforeEach(() => {
  mesh = new MeshCache(settings);
  const spec = { action: 'CUSTOM' as const, provider: { name: 'login' }, rules: [{}] };
  mesh.put(
    { kind: 'Pod', object: pod('asks', { uid: 'asks', labels: { app: 'asks' } }) },
    { kind: 'Pod', object: pod('other', { uid: 'other', address: '10.0.0.2' }) },
    { kind: 'ServiceEntry', object: serviceEntry(`auth/login`, { hosts: [HOST], ports, resolution: 'DNS' }) },
    {
      kind: 'AuthorizationPolicy',
      object: authorizationPolicy('shop/a', { selector: { matchLabels: { app: 'asks' } }, ...spec }),
    },
  );
});

describe('the cluster of whom is asked', () => {
  test('is for proxies whose policies ask', () => {
    expect(clusterOf('asks')?.name).toBe(NAME);
    expect(clusterOf('other')).toBeUndefined();
    expect([...mesh.cache.wildcardNames(proxyOf('asks'), CLUSTER_TYPE)]).toContain(NAME);
    expect(mesh.cache.lookup(proxyOf('other'), CLUSTER_TYPE, NAME)).toBeUndefined();
  });

  test('obeys the policies of its own namespace, and of no other', () => {
    putRule('shop', { tls: { mode: 'DISABLE' }, connectionPool: { tcp: { connectTimeout: '7s' } } });
    expect(clusterOf('asks')?.connect_timeout).toBe('5s');
    putRule('auth', { tls: { mode: 'SIMPLE' }, connectionPool: { tcp: { connectTimeout: '9s' } } });
    expect(clusterOf('asks')).toMatchObject({ connect_timeout: '9s', transport_socket: expect.anything() });
  });

  test('never leads to where the request was made to', () => {
    putRule('auth', { loadBalancer: { simple: 'PASSTHROUGH' } });
    expect(clusterOf('asks')).toMatchObject({ cluster_type: { name: 'envoy.clusters.dns' } });
  });
});
