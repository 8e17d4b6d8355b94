import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
  ResourceSchema,
} from '../../generated/envoy/envoy/service/discovery/v3/discovery_pb.js';
import { CLUSTER_TYPE, ENDPOINT_TYPE, type ResourceSource, ROUTE_TYPE, type XdsResource } from '../xds/resource.ts';
import type { DeltaRequest } from './request.ts';
import { ResourceRegistry } from './resource-registry.ts';
import { ProxyStream } from './stream.ts';
import { BLANK_REQUEST } from './testing/blank-request.ts';
import { wholeMessage } from './testing/whole-message.ts';

const TYPES = [CLUSTER_TYPE, ENDPOINT_TYPE, ROUTE_TYPE];
const NAMES = ['a', 'b', 'c', 'd'];
const PROXY = { uid: 'u', podName: 'p', namespace: 'n', serviceAccount: 's' };

type Table = Map<string, Map<string, XdsResource>>;

function resource(typeUrl: string, name: string, version: string): XdsResource {
  return { typeUrl, name, version, bytes: toBinary(ResourceSchema, create(ResourceSchema, { name, version })) };
}

/** What a proxy does: it asks, takes what comes when it gets to it, and answers. */
class ModelProxy {
  readonly inbox: DeltaDiscoveryResponse[] = [];
  readonly held = new Map<string, Map<string, string>>(TYPES.map((typeUrl) => [typeUrl, new Map()]));
  readonly names = new Map<string, Set<string>>(TYPES.map((typeUrl) => [typeUrl, new Set()]));
  readonly wildcard = new Set<string>();
  private readonly asked = new Set<string>();

  /** A change of subscription that the protocol allows; undefined when there is nothing to change. */
  request(typeUrl: string, name: string, subscribe: boolean, reconnected: boolean): DeltaRequest | undefined {
    const names = this.names.get(typeUrl) ?? new Set();
    if (names.has(name) === subscribe) {
      return undefined;
    }
    const first = !this.asked.has(typeUrl);
    if (first && !subscribe) {
      return undefined;
    }
    this.asked.add(typeUrl);
    if (subscribe) {
      names.add(name);
    } else {
      names.delete(name);
      if (!this.wildcard.has(typeUrl)) {
        this.held.get(typeUrl)?.delete(name);
      }
    }
    const list = [name];
    const versions = first && reconnected ? (this.held.get(typeUrl) ?? new Map()) : new Map<string, string>();
    return blank(typeUrl, {
      subscribe: subscribe ? list : [],
      unsubscribe: subscribe ? [] : list,
      initialVersions: versions,
    });
  }

  askAll(typeUrl: string): DeltaRequest | undefined {
    if (this.asked.has(typeUrl)) {
      return undefined;
    }
    this.asked.add(typeUrl);
    this.wildcard.add(typeUrl);
    return blank(typeUrl, {});
  }

  /** Takes the oldest response. Whatever it no longer asks for it ignores, as Envoy does. */
  take(accept: boolean): DeltaRequest | undefined {
    const response = this.inbox.shift();
    if (response === undefined) {
      return undefined;
    }
    const { typeUrl, nonce } = response;
    const held = this.held.get(typeUrl);
    for (const { name, version } of accept ? response.resources : []) {
      if (this.wildcard.has(typeUrl) || this.names.get(typeUrl)?.has(name)) {
        held?.set(name, version);
      }
    }
    for (const name of response.removedResources) {
      held?.delete(name);
    }
    return blank(typeUrl, { nonce, error: accept ? undefined : 'no' });
  }
}

function blank(typeUrl: string, request: Partial<DeltaRequest>): DeltaRequest {
  return { ...BLANK_REQUEST, typeUrl, ...request };
}

const typeUrl = fc.constantFrom(...TYPES);
const name = fc.constantFrom(...NAMES);
const step = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), typeUrl, name, version: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ kind: fc.constant('delete' as const), typeUrl, name }),
  fc.record({ kind: fc.constant('name' as const), typeUrl, name }),
  fc.record({ kind: fc.constant('ask' as const), typeUrl, name, subscribe: fc.boolean() }),
  fc.record({ kind: fc.constant('ask all' as const), typeUrl }),
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('answer' as const), accept: fc.constant(true) }) },
  fc.record({ kind: fc.constant('answer' as const), accept: fc.constant(false) }),
);
/** Whether it begins as Envoy does, with all clusters, and routes of which it knows. */
const begin = fc.boolean();

describe('a proxy’s stream', () => {
  test('brings every proxy to the newest state of what it asks for, one response per type at a time', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60, size: 'max' }),
        begin,
        fc.constantFrom(0, 3_600_000),
        (steps, asEnvoy, routePatienceMs) => {
          const table: Table = new Map(TYPES.map((type) => [type, new Map()]));
          const source: ResourceSource = {
            typeUrls: TYPES,
            wildcard: (_proxy, type) => table.get(type) ?? new Map(),
            lookup: (_proxy, type, resourceName) => table.get(type)?.get(resourceName),
            onChange: () => () => undefined,
          };
          const proxy = new ModelProxy();
          const settings = { routePatienceMs, removalDelayMs: 0, responseBytes: 12 };
          const stream = new ProxyStream(PROXY, new ResourceRegistry([source]), settings, {
            write: (message) => {
              const response = fromBinary(DeltaDiscoveryResponseSchema, wholeMessage(message));
              expect(proxy.inbox.filter((waiting) => waiting.typeUrl === response.typeUrl)).toEqual([]);
              proxy.inbox.push(response);
            },
            pushed: () => undefined,
            answered: () => undefined,
          });
          const say = (request: DeltaRequest | undefined): void => {
            if (request !== undefined) {
              stream.receive(request);
            }
          };
          const changed = (type: string, resourceName: string): void => {
            stream.mark(new Map([[type, new Set([resourceName])]]));
            stream.pump();
          };
          if (asEnvoy) {
            for (const one of NAMES) table.get(ENDPOINT_TYPE)?.set(one, resource(ENDPOINT_TYPE, one, '0'));
            for (const type of [CLUSTER_TYPE, ROUTE_TYPE]) table.get(type)?.set('a', resource(type, 'a', '0'));
            say(proxy.askAll(CLUSTER_TYPE));
            say(proxy.request(ENDPOINT_TYPE, 'a', true, false));
            say(proxy.request(ROUTE_TYPE, 'a', true, false));
          }
          for (const one of steps) {
            if (one.kind === 'put') {
              table.get(one.typeUrl)?.set(one.name, resource(one.typeUrl, one.name, String(one.version)));
              changed(one.typeUrl, one.name);
            } else if (one.kind === 'delete') {
              table.get(one.typeUrl)?.delete(one.name);
              changed(one.typeUrl, one.name);
            } else if (one.kind === 'name') {
              changed(one.typeUrl, one.name);
            } else if (one.kind === 'ask') {
              say(proxy.request(one.typeUrl, one.name, one.subscribe, false));
            } else if (one.kind === 'ask all') {
              say(proxy.askAll(one.typeUrl));
            } else {
              say(proxy.take(one.accept));
            }
          }
          // What it refused is not sent again; anything newer is.
          for (const type of TYPES) {
            for (const resourceName of stream.subscription(type)?.rejected.keys() ?? []) {
              table.get(type)?.set(resourceName, resource(type, resourceName, 'last'));
              changed(type, resourceName);
            }
          }
          // As Envoy does, of every cluster that it has.
          const askForEndpoints = (): void => {
            for (const one of proxy.held.get(CLUSTER_TYPE)?.keys() ?? [])
              say(proxy.request(ENDPOINT_TYPE, one, true, false));
          };
          askForEndpoints();
          for (let rounds = 0; proxy.inbox.length > 0; rounds++) {
            expect(rounds).toBeLessThan(1000);
            say(proxy.take(true));
            askForEndpoints();
          }
          for (const type of TYPES) {
            const wanted = NAMES.filter((one) => proxy.wildcard.has(type) || proxy.names.get(type)?.has(one));
            const existing = wanted.filter((one) => table.get(type)?.has(one));
            expect([...(proxy.held.get(type)?.keys() ?? [])].sort()).toEqual(existing);
            for (const one of existing) {
              const version = table.get(type)?.get(one)?.version;
              expect(proxy.held.get(type)?.get(one)).toBe(version);
              expect(stream.subscription(type)?.acknowledged(one)).toBe(version);
            }
          }
          stream.close();
        },
      ),
      { numRuns: 500 },
    );
  });
});
