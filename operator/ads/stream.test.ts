import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import {
  DeltaDiscoveryResponseSchema,
  ResourceSchema,
} from '../../generated/envoy/envoy/service/discovery/v3/discovery_pb.js';
import { CLUSTER_TYPE, ENDPOINT_TYPE, ROUTE_TYPE, type XdsResource } from '../xds/resource.ts';
import { ResourceRegistry } from './resource-registry.ts';
import { ProxyStream, STREAM_SETTINGS } from './stream.ts';

const PROXY = { uid: 'u', podName: 'p', namespace: 'n', serviceAccount: 's' };
const TYPES = [CLUSTER_TYPE, ENDPOINT_TYPE, ROUTE_TYPE];

/** A stream of which a test plays the proxy. `sent` has each response as `TYPE NAMES`; answers go to the newest of a type. */
function openStream() {
  const table = new Map<string, XdsResource>();
  const sent: string[] = [];
  const nonces = new Map<string, string>();
  const source = {
    typeUrls: TYPES,
    wildcard: (_: unknown, typeUrl: string) =>
      new Map([...table.values()].filter((one) => one.typeUrl === typeUrl).map((one) => [one.name, one])),
    lookup: (_: unknown, typeUrl: string, name: string) => table.get(`${typeUrl} ${name}`),
    onChange: () => () => undefined,
  };
  const stream = new ProxyStream(PROXY, new ResourceRegistry([source]), STREAM_SETTINGS, {
    write: (bytes) => {
      const { typeUrl, nonce, resources } = fromBinary(DeltaDiscoveryResponseSchema, bytes);
      nonces.set(typeUrl, nonce);
      sent.push(`${typeUrl.split('.').at(-1)} ${resources.map(({ name, version }) => `${name}@${version}`).join()}`);
    },
    pushed: () => undefined,
    answered: () => undefined,
  });
  const blank = { nodeId: undefined, subscribe: [], unsubscribe: [], initialVersions: new Map<string, string>() };
  const changed = (typeUrl: string, name: string): void => {
    stream.mark(new Map([[typeUrl, new Set([name])]]));
    stream.pump();
  };
  return {
    sent,
    changed,
    put: (typeUrl: string, name: string, version: string): void => {
      const bytes = toBinary(ResourceSchema, create(ResourceSchema, { name, version }));
      table.set(`${typeUrl} ${name}`, { typeUrl, name, version, bytes });
      changed(typeUrl, name);
    },
    ask: (typeUrl: string, ...subscribe: string[]): void =>
      stream.receive({ ...blank, typeUrl, subscribe, nonce: '', error: undefined }),
    acknowledge: (typeUrl: string): void =>
      stream.receive({ ...blank, typeUrl, nonce: nonces.get(typeUrl) ?? '', error: undefined }),
    close: (): void => stream.close(),
  };
}

describe('routes', () => {
  test('wait for a new cluster until the proxy has it and its endpoints', () => {
    const { sent, put, ask, acknowledge, close } = openStream();
    ask(CLUSTER_TYPE);
    acknowledge(CLUSTER_TYPE);
    ask(ROUTE_TYPE, '80');
    acknowledge(ROUTE_TYPE);
    put(ENDPOINT_TYPE, 'a', '1');
    put(CLUSTER_TYPE, 'a', '1');
    put(ROUTE_TYPE, '80', '1');
    ask(ENDPOINT_TYPE, 'a');
    acknowledge(CLUSTER_TYPE);
    expect(sent.at(-1)).toBe('ClusterLoadAssignment a@1');
    acknowledge(ENDPOINT_TYPE);
    expect(sent.at(-1)).toBe('RouteConfiguration 80@1');
    close();
  });

  test('do not wait longer because endpoints that are under way are named again, and are still the same', () => {
    const { sent, put, changed, ask, acknowledge, close } = openStream();
    ask(CLUSTER_TYPE);
    acknowledge(CLUSTER_TYPE);
    ask(ROUTE_TYPE, '80');
    acknowledge(ROUTE_TYPE);
    put(ENDPOINT_TYPE, 'a', '1');
    put(CLUSTER_TYPE, 'a', '1');
    put(ROUTE_TYPE, '80', '1');
    ask(ENDPOINT_TYPE, 'a');
    acknowledge(CLUSTER_TYPE);
    changed(ENDPOINT_TYPE, 'a');
    acknowledge(ENDPOINT_TYPE);
    expect(sent.at(-1)).toBe('RouteConfiguration 80@1');
    close();
  });

  test('wait for endpoints that changed while they were under way', () => {
    const { sent, put, ask, acknowledge, close } = openStream();
    ask(CLUSTER_TYPE);
    acknowledge(CLUSTER_TYPE);
    ask(ROUTE_TYPE, '80');
    acknowledge(ROUTE_TYPE);
    put(ENDPOINT_TYPE, 'a', '1');
    put(CLUSTER_TYPE, 'a', '1');
    put(ROUTE_TYPE, '80', '1');
    ask(ENDPOINT_TYPE, 'a');
    acknowledge(CLUSTER_TYPE);
    put(ENDPOINT_TYPE, 'a', '2');
    acknowledge(ENDPOINT_TYPE);
    expect(sent.at(-1)).toBe('ClusterLoadAssignment a@2');
    acknowledge(ENDPOINT_TYPE);
    expect(sent.at(-1)).toBe('RouteConfiguration 80@1');
    close();
  });
});
