import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import {
  DeltaDiscoveryResponseSchema,
  ResourceSchema,
} from '../../generated/envoy/envoy/service/discovery/v3/discovery_pb.js';
import { CLUSTER_TYPE, ENDPOINT_TYPE, ROUTE_TYPE, VIRTUAL_HOST_TYPE, type XdsResource } from '../xds/resource.ts';
import { ResourceRegistry } from './resource-registry.ts';
import { ProxyStream } from './stream.ts';
import { STREAM_SETTINGS } from './stream-settings.ts';

const PROXY = { uid: 'u', podName: 'p', namespace: 'n', serviceAccount: 's' };
const TYPES = [CLUSTER_TYPE, ENDPOINT_TYPE, ROUTE_TYPE, VIRTUAL_HOST_TYPE];

/** A stream of which a test plays the proxy. `sent` has each response as `TYPE NAMES -REMOVED`; answers go to the newest of a type. */
function openStream(settings = STREAM_SETTINGS) {
  const table = new Map<string, XdsResource>();
  const sent: string[] = [];
  const nonces = new Map<string, string>();
  const source = {
    typeUrls: TYPES,
    wildcard: (_: unknown, typeUrl: string) =>
      new Map([...table.values()].filter((one) => one.typeUrl === typeUrl).map((one) => [one.name, one])),
    lookup: (_: unknown, typeUrl: string, name: string) => table.get(`${typeUrl} ${name}`),
    members: (typeUrl: string, collection: string) =>
      [...table.values()]
        .filter((one) => one.typeUrl === typeUrl && one.name.startsWith(`${collection}/`))
        .map(({ name }) => name),
    onChange: () => () => undefined,
  };
  const stream = new ProxyStream(PROXY, new ResourceRegistry([source]), settings, {
    write: (bytes) => {
      const { typeUrl, nonce, resources, removedResources } = fromBinary(DeltaDiscoveryResponseSchema, bytes);
      nonces.set(typeUrl, nonce);
      const named = [
        ...resources.map(({ name, version }) => `${name}@${version}`),
        ...removedResources.map((n) => `-${n}`),
      ];
      sent.push(`${typeUrl.split('.').at(-1)} ${named.join()}`);
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
    remove: (typeUrl: string, name: string): void => {
      table.delete(`${typeUrl} ${name}`);
      changed(typeUrl, name);
    },
    ask: (typeUrl: string, ...subscribe: string[]): void =>
      stream.receive({ ...blank, typeUrl, subscribe, nonce: '', error: undefined }),
    /** The first request of a type on a new stream. @param held versions that the proxy says it has */
    resume: (typeUrl: string, held: Record<string, string>, ...subscribe: string[]): void => {
      const initialVersions = new Map(Object.entries(held));
      stream.receive({ ...blank, typeUrl, subscribe, initialVersions, nonce: '', error: undefined });
    },
    /** @param nonce of a response that is acknowledged with it; '': none is */
    leave: (typeUrl: string, nonce: string, ...unsubscribe: string[]): void =>
      stream.receive({ ...blank, typeUrl, unsubscribe, nonce, error: undefined }),
    refuse: (typeUrl: string, error: string): void =>
      stream.receive({ ...blank, typeUrl, nonce: nonces.get(typeUrl) ?? '', error }),
    nonceOf: (typeUrl: string): string => nonces.get(typeUrl) ?? '',
    acknowledge: (typeUrl: string): void =>
      stream.receive({ ...blank, typeUrl, nonce: nonces.get(typeUrl) ?? '', error: undefined }),
    close: (): void => stream.close(),
  };
}

describe('clusters', () => {
  test('that do not exist are said to be absent at once, while one that goes waits for the routes', () => {
    const stream = openStream();
    stream.put(CLUSTER_TYPE, 'a', '1');
    stream.put(ROUTE_TYPE, '80', '1');
    stream.ask(CLUSTER_TYPE, '*');
    stream.acknowledge(CLUSTER_TYPE);
    stream.ask(ROUTE_TYPE, '80');
    stream.remove(CLUSTER_TYPE, 'a');
    expect(stream.sent).toEqual(['Cluster a@1', 'RouteConfiguration 80@1']);
    stream.ask(CLUSTER_TYPE, 'made-up');
    expect(stream.sent.slice(2)).toEqual(['Cluster -made-up']);
    stream.close();
  });
});

test('a proxy that refuses to hear that there are no such routes keeps no cluster for it', () => {
  const stream = openStream({ ...STREAM_SETTINGS, removalDelayMs: 0 });
  stream.put(CLUSTER_TYPE, 'a', '1');
  stream.ask(ROUTE_TYPE, '80');
  stream.refuse(ROUTE_TYPE, 'no');
  stream.ask(CLUSTER_TYPE, '*');
  stream.acknowledge(CLUSTER_TYPE);
  stream.remove(CLUSTER_TYPE, 'a');
  expect(stream.sent).toEqual(['RouteConfiguration -80', 'Cluster a@1', 'Cluster -a']);
  stream.close();
});

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

describe('virtual hosts', () => {
  /** A proxy that has route configuration 80 with one virtual host. */
  function begin() {
    const stream = openStream();
    stream.put(ROUTE_TYPE, '80', '1');
    stream.put(VIRTUAL_HOST_TYPE, '80/a', '1');
    stream.put(VIRTUAL_HOST_TYPE, '8080/b', '1');
    stream.ask(ROUTE_TYPE, '80');
    stream.ask(VIRTUAL_HOST_TYPE);
    stream.acknowledge(ROUTE_TYPE);
    stream.acknowledge(VIRTUAL_HOST_TYPE);
    return stream;
  }

  test('are sent of the route configurations that a proxy has, though it does not say which', () => {
    const { sent, close } = begin();
    expect(sent).toEqual(['RouteConfiguration 80@1', 'VirtualHost 80/a@1']);
    close();
  });

  test('follow a route configuration at once when it is sent later, and no sooner', () => {
    const { sent, put, ask, close } = begin();
    put(VIRTUAL_HOST_TYPE, '8080/c', '1');
    expect(sent).toHaveLength(2);
    put(ROUTE_TYPE, '8080', '1');
    ask(ROUTE_TYPE, '8080');
    expect(sent.slice(2)).toEqual(['RouteConfiguration 8080@1', 'VirtualHost 8080/b@1,8080/c@1']);
    close();
  });

  test('come, change and go one by one', () => {
    const { sent, put, remove, acknowledge, close } = begin();
    for (const change of [
      () => put(VIRTUAL_HOST_TYPE, '80/new', '1'),
      () => put(VIRTUAL_HOST_TYPE, '80/a', '2'),
      () => remove(VIRTUAL_HOST_TYPE, '80/new'),
    ]) {
      change();
      acknowledge(VIRTUAL_HOST_TYPE);
    }
    expect(sent.slice(2)).toEqual(['VirtualHost 80/new@1', 'VirtualHost 80/a@2', 'VirtualHost -80/new']);
    close();
  });

  test('of a route configuration that a proxy gives up are removed, and sent again when it asks for that again', () => {
    const { sent, ask, leave, acknowledge, close } = begin();
    leave(ROUTE_TYPE, '', '80');
    expect(sent.at(-1)).toBe('VirtualHost -80/a');
    acknowledge(VIRTUAL_HOST_TYPE);
    ask(ROUTE_TYPE, '80');
    expect(sent.slice(-2)).toEqual(['RouteConfiguration 80@1', 'VirtualHost 80/a@1']);
    close();
  });

  test('are removed as well when the proxy gives up the routes in the same request in which it acknowledges others', () => {
    const { sent, put, leave, nonceOf, acknowledge, close } = begin();
    put(ROUTE_TYPE, '80', '2');
    acknowledge(VIRTUAL_HOST_TYPE);
    leave(ROUTE_TYPE, nonceOf(ROUTE_TYPE), '80');
    expect(sent.at(-1)).toBe('VirtualHost -80/a');
    close();
  });

  test.each<[string, readonly string[]]>([
    ['the routes first', [ROUTE_TYPE, VIRTUAL_HOST_TYPE]],
    ['the virtual hosts first', [VIRTUAL_HOST_TYPE, ROUTE_TYPE]],
  ])(
    'that a proxy holds are not sent again when it comes back, %s; those that went meanwhile are removed',
    (_, order) => {
      const { sent, put, resume, close } = openStream();
      put(ROUTE_TYPE, '80', '1');
      put(VIRTUAL_HOST_TYPE, '80/a', '1');
      put(VIRTUAL_HOST_TYPE, '80/b', '2');
      const requests: Record<string, () => void> = {
        [ROUTE_TYPE]: () => resume(ROUTE_TYPE, { '80': '1' }, '80'),
        [VIRTUAL_HOST_TYPE]: () => resume(VIRTUAL_HOST_TYPE, { '80/a': '1', '80/b': '1', '80/gone': '1' }),
      };
      for (const typeUrl of order) requests[typeUrl]?.();
      expect(sent).toEqual(['VirtualHost 80/b@2,-80/gone']);
      close();
    },
  );

  test('that a proxy only says it holds, of a route configuration that it does not have, are sent, or removed', () => {
    const { sent, put, ask, resume, acknowledge, close } = openStream();
    for (const port of [80, 8080]) {
      put(ROUTE_TYPE, `${port}`, '1');
      put(VIRTUAL_HOST_TYPE, `${port}/a`, '1');
    }
    resume(ROUTE_TYPE, { '80': '1' }, '80', '8080');
    resume(VIRTUAL_HOST_TYPE, { '80/a': '1', '8080/a': '1', '9090/a': '1' });
    expect(sent).toEqual(['RouteConfiguration 8080@1', 'VirtualHost 8080/a@1,-9090/a']);
    acknowledge(ROUTE_TYPE);
    acknowledge(VIRTUAL_HOST_TYPE);
    put(VIRTUAL_HOST_TYPE, '9090/a', '1');
    put(ROUTE_TYPE, '9090', '1');
    ask(ROUTE_TYPE, '9090');
    expect(sent.slice(2)).toEqual(['RouteConfiguration 9090@1', 'VirtualHost 9090/a@1']);
    close();
  });

  test('that change or go travel together, before new ones, however large: one may have a domain from another', () => {
    const { sent, put, remove, ask, acknowledge, changed, close } = openStream({
      ...STREAM_SETTINGS,
      responseBytes: 1,
    });
    put(ROUTE_TYPE, '80', '1');
    ask(ROUTE_TYPE, '80');
    ask(VIRTUAL_HOST_TYPE);
    for (const name of ['80/a', '80/b', '80/c']) {
      put(VIRTUAL_HOST_TYPE, name, '1');
      acknowledge(VIRTUAL_HOST_TYPE);
    }
    put(VIRTUAL_HOST_TYPE, '80/in-flight', '1');
    for (const name of ['80/new', '80/newer', '80/a', '80/b']) put(VIRTUAL_HOST_TYPE, name, '2');
    remove(VIRTUAL_HOST_TYPE, '80/c');
    changed(VIRTUAL_HOST_TYPE, '80/a');
    const before = sent.length;
    for (let rounds = 0; rounds < 3; rounds++) acknowledge(VIRTUAL_HOST_TYPE);
    expect(sent.slice(before)).toEqual([
      'VirtualHost 80/a@2,80/b@2,-80/c',
      'VirtualHost 80/new@2',
      'VirtualHost 80/newer@2',
    ]);
    close();
  });

  test('that go are removed all the same when one that changed with them is refused', () => {
    const { sent, put, remove, acknowledge, refuse, close } = begin();
    put(VIRTUAL_HOST_TYPE, '80/b', '1');
    put(VIRTUAL_HOST_TYPE, '80/c', '1');
    acknowledge(VIRTUAL_HOST_TYPE);
    acknowledge(VIRTUAL_HOST_TYPE);
    const before = sent.length;
    put(VIRTUAL_HOST_TYPE, '80/a', 'good');
    put(VIRTUAL_HOST_TYPE, '80/b', 'bad');
    remove(VIRTUAL_HOST_TYPE, '80/c');
    acknowledge(VIRTUAL_HOST_TYPE);
    // Envoy takes a response whole or not at all.
    for (let rounds = 0; rounds < 6; rounds++) {
      if (sent.at(-1)?.includes('bad')) refuse(VIRTUAL_HOST_TYPE, 'no');
      else acknowledge(VIRTUAL_HOST_TYPE);
    }
    expect(sent.slice(before)).toEqual([
      'VirtualHost 80/a@good',
      'VirtualHost 80/b@bad,-80/c',
      'VirtualHost -80/c',
      'VirtualHost 80/b@bad',
    ]);
    close();
  });
});
