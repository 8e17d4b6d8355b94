import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
  ResourceSchema,
} from '../../generated/envoy/envoy/service/discovery/v3/discovery_pb.js';
import { ROUTE_TYPE, VIRTUAL_HOST_TYPE, type XdsResource } from '../xds/resource.ts';
import type { DeltaRequest } from './request.ts';
import { ResourceRegistry } from './resource-registry.ts';
import { ProxyStream } from './stream.ts';
import { BLANK_REQUEST } from './testing/blank-request.ts';
import { wholeMessage } from './testing/whole-message.ts';

const ROUTES = ['80', '8080'];
const HOSTS = ['80/a', '80/b', '80/c', '8080/a'];
const PROXY = { uid: 'u', podName: 'p', namespace: 'n', serviceAccount: 's' };
const SETTINGS = { routePatienceMs: 0, removalDelayMs: 0, responseBytes: 24 };

const routeOf = (host: string): string => host.slice(0, host.indexOf('/'));

function resource(typeUrl: string, name: string, version: string): XdsResource {
  return { typeUrl, name, version, bytes: toBinary(ResourceSchema, create(ResourceSchema, { name, version })) };
}

/** Route configurations and virtual hosts as the control plane has them. The former are always there. */
class Table {
  readonly hosts = new Map<string, XdsResource>();
  readonly registry = new ResourceRegistry([
    {
      typeUrls: [ROUTE_TYPE, VIRTUAL_HOST_TYPE],
      wildcard: () => new Map(),
      members: (_, route) => [...this.hosts.keys()].filter((name) => routeOf(name) === route),
      lookup: (_, typeUrl, name) =>
        typeUrl === VIRTUAL_HOST_TYPE
          ? this.hosts.get(name)
          : ROUTES.includes(name)
            ? resource(ROUTE_TYPE, name, '1')
            : undefined,
      onChange: () => () => undefined,
    },
  ]);
}

/**
 * What Envoy does: it asks for virtual hosts once, when it gets a first route configuration, throws them away with the configuration, and goes on
 * reporting them until it hears that they are gone.
 */
class ModelEnvoy {
  readonly asked = new Set<string>();
  /** By route configuration that it has. */
  readonly hosts = new Map<string, Map<string, string>>();
  /** What it says it has when it comes back. */
  readonly reported = new Map<string, string>();
  private readonly inbox: DeltaDiscoveryResponse[] = [];
  private wantsHosts = false;
  private stream: ProxyStream;
  private readonly table: Table;

  constructor(table: Table) {
    this.table = table;
    this.stream = this.open();
  }

  get waits(): boolean {
    return this.inbox.length > 0;
  }

  changed(host: string): void {
    this.stream.mark(new Map([[VIRTUAL_HOST_TYPE, new Set([host])]]));
    this.stream.pump();
  }

  ask(route: string): void {
    if (this.asked.has(route)) return;
    this.asked.add(route);
    this.say({ typeUrl: ROUTE_TYPE, subscribe: [route] });
  }

  /** @param withAck in the request that acknowledges the oldest response about routes, where there is one */
  leave(route: string, withAck: boolean): void {
    if (!this.asked.delete(route)) return;
    this.hosts.delete(route);
    const oldest = withAck && this.inbox[0]?.typeUrl === ROUTE_TYPE ? this.inbox.shift() : undefined;
    if (oldest !== undefined) this.take(oldest);
    this.say({ typeUrl: ROUTE_TYPE, unsubscribe: [route], nonce: oldest?.nonce ?? '' });
  }

  /** @param acceptHosts whether it takes virtual hosts; nothing is ever wrong with a removal, nor with a route configuration, always the same */
  answer(acceptHosts: boolean): void {
    const response = this.inbox.shift();
    if (response === undefined) return;
    const { typeUrl, nonce, resources } = response;
    const accept = acceptHosts || typeUrl === ROUTE_TYPE || resources.length === 0;
    if (accept) this.take(response);
    this.say({ typeUrl, nonce, error: accept ? undefined : 'no' });
  }

  reconnect(hostsFirst: boolean): void {
    this.stream.close();
    this.inbox.length = 0;
    this.stream = this.open();
    const routes = () => {
      const initialVersions = new Map([...this.hosts.keys()].map((route) => [route, '1']));
      this.say({ typeUrl: ROUTE_TYPE, subscribe: [...this.asked], initialVersions });
    };
    const hosts = () => this.say({ typeUrl: VIRTUAL_HOST_TYPE, initialVersions: new Map(this.reported) });
    // Nothing is asked of a type of which nothing is wanted any more; of virtual hosts no names are.
    if (this.wantsHosts && hostsFirst) hosts();
    if (this.asked.size > 0) routes();
    if (this.wantsHosts && !hostsFirst) hosts();
  }

  private askForHosts(): void {
    if (this.wantsHosts) return;
    this.wantsHosts = true;
    this.say({ typeUrl: VIRTUAL_HOST_TYPE });
  }

  private take({ typeUrl, resources, removedResources }: DeltaDiscoveryResponse): void {
    for (const { name, version } of resources) {
      if (typeUrl === ROUTE_TYPE) {
        if (this.asked.has(name) && !this.hosts.has(name)) this.hosts.set(name, new Map());
        if (this.asked.has(name)) this.askForHosts();
        continue;
      }
      this.reported.set(name, version);
      this.hosts.get(routeOf(name))?.set(name, version);
    }
    for (const name of typeUrl === VIRTUAL_HOST_TYPE ? removedResources : []) {
      this.reported.delete(name);
      this.hosts.get(routeOf(name))?.delete(name);
    }
  }

  private say(request: Partial<DeltaRequest> & Pick<DeltaRequest, 'typeUrl'>): void {
    this.stream.receive({ ...BLANK_REQUEST, ...request });
  }

  private open(): ProxyStream {
    return new ProxyStream(PROXY, this.table.registry, SETTINGS, {
      write: (message) => this.inbox.push(fromBinary(DeltaDiscoveryResponseSchema, wholeMessage(message))),
      pushed: () => undefined,
      answered: () => undefined,
    });
  }
}

const host = fc.constantFrom(...HOSTS);
const route = fc.constantFrom(...ROUTES);
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('put' as const), host, version: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), host }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('ask' as const), route }) },
  fc.record({ kind: fc.constant('leave' as const), route, withAck: fc.boolean() }),
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('answer' as const), accept: fc.constantFrom(true, true, true, false) }),
  },
  fc.record({ kind: fc.constant('reconnect' as const), hostsFirst: fc.boolean() }),
);

test('a proxy comes to have the virtual hosts of its route configurations, whatever it asks for, gives up, refuses and loses', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const table = new Table();
      const envoy = new ModelEnvoy(table);
      for (const one of steps) {
        if (one.kind === 'put') {
          table.hosts.set(one.host, resource(VIRTUAL_HOST_TYPE, one.host, String(one.version)));
          envoy.changed(one.host);
        } else if (one.kind === 'delete') {
          table.hosts.delete(one.host);
          envoy.changed(one.host);
        } else if (one.kind === 'ask') envoy.ask(one.route);
        else if (one.kind === 'leave') envoy.leave(one.route, one.withAck);
        else if (one.kind === 'answer') envoy.answer(one.accept);
        else envoy.reconnect(one.hostsFirst);
      }
      // What it refused is not sent again; anything newer is.
      for (const name of table.hosts.keys()) {
        table.hosts.set(name, resource(VIRTUAL_HOST_TYPE, name, 'last'));
        envoy.changed(name);
      }
      for (let rounds = 0; envoy.waits; rounds++) {
        expect(rounds).toBeLessThan(1000);
        envoy.answer(true);
      }
      const wanted = [...envoy.asked].sort().map((one) => [
        one,
        [...table.hosts.keys()]
          .filter((name) => routeOf(name) === one)
          .sort()
          .map((name) => `${name} last`),
      ]);
      const has = [...envoy.hosts].map(([one, hosts]) => [
        one,
        [...hosts].map(([name, version]) => `${name} ${version}`).sort(),
      ]);
      expect(has.sort()).toEqual(wanted);
      // It would report for ever what it was not told to forget. Where it asks for no routes, nobody can know that it asks for none.
      const reported = envoy.asked.size === 0 ? [] : [...envoy.reported.keys()];
      const held = [...envoy.hosts.values()].flatMap((one) => [...one.keys()]);
      expect(reported.sort()).toEqual(held.sort());
    }),
    { numRuns: 1000 },
  );
});
