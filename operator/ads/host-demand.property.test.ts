import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { AnySchema } from '@bufbuild/protobuf/wkt';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
  ResourceSchema,
} from '../../generated/envoy/envoy/service/discovery/v3/discovery_pb.js';
import { type Answer, ROUTE_TYPE, VIRTUAL_HOST_TYPE, type XdsResource } from '../xds/resource.ts';
import type { DeltaRequest } from './request.ts';
import { ResourceRegistry } from './resource-registry.ts';
import { ProxyStream } from './stream.ts';
import { BLANK_REQUEST } from './testing/blank-request.ts';
import { wholeMessage } from './testing/whole-message.ts';

const ROUTES = ['80', '81'];
/** Which hosts have a domain where they are there: of some the first counts. */
const CLAIMS: Readonly<Record<string, readonly string[]>> = { a: ['A', 'B'], 'a.n': ['A'], b: ['B'], c: ['C', 'A'] };
const DOMAINS = [...Object.keys(CLAIMS), 'nobody'];
const PROXY = { uid: 'u', podName: 'p', namespace: 'n', serviceAccount: 's' };
const SETTINGS = { routePatienceMs: 0, removalDelayMs: 0, responseBytes: 40 };

const routeOf = (name: string): string => name.slice(0, name.indexOf('/'));

function resource(typeUrl: string, name: string, version: string): XdsResource {
  const message = create(ResourceSchema, { name, version, resource: create(AnySchema, { typeUrl }) });
  return { typeUrl, name, version, bytes: toBinary(ResourceSchema, message) };
}

/** Virtual hosts as the control plane has them. */
class Table {
  /** Name → version. */
  readonly hosts = new Map<string, string>();
  unknownVersion = 'unknown';
  state = 0;
  readonly registry = new ResourceRegistry([
    {
      typeUrls: [ROUTE_TYPE, VIRTUAL_HOST_TYPE],
      wildcard: () => new Map(),
      members: () => [],
      isOneByOne: () => true,
      answersState: () => this.state,
      answer: (_, __, asked) => this.answer(asked),
      lookup: (_, typeUrl, name) => {
        if (typeUrl === ROUTE_TYPE) return resource(ROUTE_TYPE, name, '1');
        const version = this.version(name);
        return version === undefined ? undefined : resource(typeUrl, name, version);
      },
      onChange: () => () => undefined,
    },
  ]);

  answer(asked: string): Answer {
    const route = routeOf(asked);
    const domain = asked.slice(route.length + 1);
    const owner = CLAIMS[domain]?.find((host) => this.hosts.has(`${route}/${host}`));
    return owner === undefined
      ? { name: `${asked}|asked`, kind: 'unknown' }
      : { name: `${route}/${owner}`, kind: 'some' };
  }

  version(name: string): string | undefined {
    if (!name.endsWith('|asked')) return this.hosts.get(name);
    return this.answer(name.replace('|asked', '')).kind === 'unknown' ? this.unknownVersion : undefined;
  }
}

/** What Envoy does: it asks for what a request is for, once; what waits goes on when an accepted response has it as a name or an alias. */
class ModelEnvoy {
  /** By route configuration that it has: virtual hosts and their versions. */
  readonly hosts = new Map<string, Map<string, string>>();
  /** State of the table in which each was asked for. */
  readonly waiting = new Map<string, number>();
  /** What was answered before the host was there, which was all along. */
  readonly tooEarly: string[] = [];
  readonly asked = new Set<string>();
  private readonly routes = new Set<string>();
  /** What it says that it has when it comes back. */
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

  changed(names: Iterable<string>): void {
    this.table.state += 1;
    this.stream.mark(new Map([[VIRTUAL_HOST_TYPE, new Set(names)]]));
    this.stream.pump();
  }

  want(route: string): void {
    if (this.routes.has(route)) return;
    this.routes.add(route);
    this.say({ typeUrl: ROUTE_TYPE, subscribe: [route] });
  }

  leave(route: string): void {
    if (!this.routes.delete(route)) return;
    this.hosts.delete(route);
    this.say({ typeUrl: ROUTE_TYPE, unsubscribe: [route] });
  }

  request(route: string, domain: string): void {
    const asked = `${route}/${domain}`;
    if (!this.hosts.has(route) || this.asked.has(asked) || this.has(this.table.answer(asked).name)) return;
    this.asked.add(asked);
    this.waiting.set(asked, this.table.state);
    this.say({ typeUrl: VIRTUAL_HOST_TYPE, subscribe: [asked] });
  }

  has(name: string): boolean {
    return this.hosts.get(routeOf(name))?.has(name) ?? false;
  }

  answer(accept: boolean): void {
    const response = this.inbox.shift();
    if (response === undefined) return;
    const { typeUrl, nonce, resources } = response;
    const isFine = accept || typeUrl === ROUTE_TYPE || resources.every((one) => one.resource === undefined);
    if (isFine) this.take(response);
    this.say({ typeUrl, nonce, error: isFine ? undefined : 'no' });
  }

  reconnect(hostsFirst: boolean): void {
    this.stream.close();
    this.inbox.length = 0;
    this.stream = this.open();
    const routes = () => {
      const initialVersions = new Map([...this.hosts.keys()].map((route) => [route, '1']));
      this.say({ typeUrl: ROUTE_TYPE, subscribe: [...this.routes], initialVersions });
    };
    const hosts = () => {
      const subscribe = ['*', ...this.asked];
      this.say({ typeUrl: VIRTUAL_HOST_TYPE, subscribe, initialVersions: new Map(this.reported) });
    };
    if (this.wantsHosts && hostsFirst) hosts();
    if (this.routes.size > 0) routes();
    if (this.wantsHosts && !hostsFirst) hosts();
  }

  private take({ typeUrl, resources, removedResources }: DeltaDiscoveryResponse): void {
    const answered = new Set<string>();
    for (const { name, version, aliases, resource: body } of resources) {
      if (typeUrl === ROUTE_TYPE) {
        if (this.routes.has(name) && !this.hosts.has(name)) this.hosts.set(name, new Map());
        if (this.routes.has(name) && !this.wantsHosts) {
          this.wantsHosts = true;
          this.say({ typeUrl: VIRTUAL_HOST_TYPE });
        }
        continue;
      }
      // A sign of life (`DeltaSubscriptionState::isHeartbeatResponse` in Envoy's source), that it gives to nobody.
      if (body === undefined && this.reported.get(name) === version) continue;
      for (const one of [name, ...aliases]) answered.add(one);
      this.reported.set(name, version);
      if (body !== undefined) this.hosts.get(routeOf(name))?.set(name, version);
    }
    for (const name of typeUrl === VIRTUAL_HOST_TYPE ? removedResources : []) {
      this.reported.delete(name);
      this.hosts.get(routeOf(name))?.delete(name);
    }
    for (const one of answered) {
      const isThere = !this.hosts.has(routeOf(one)) || this.has(this.table.answer(one).name);
      if (this.waiting.get(one) === this.table.state && !isThere) this.tooEarly.push(one);
      this.waiting.delete(one);
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

const route = fc.constantFrom(...ROUTES);
const host = fc.tuple(route, fc.constantFrom('A', 'B', 'C')).map((parts) => parts.join('/'));
const step = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), host, version: fc.constantFrom('1', '2', '3') }),
  fc.record({ kind: fc.constant('delete' as const), host }),
  fc.record({ kind: fc.constant('want' as const), route }),
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('request' as const), route, domain: fc.constantFrom(...DOMAINS) }),
  },
  fc.record({ kind: fc.constant('leave' as const), route }),
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('answer' as const), accept: fc.constantFrom(true, true, true, false) }),
  },
  fc.record({ kind: fc.constant('reconnect' as const), hostsFirst: fc.boolean() }),
);

test('what a proxy asks for is answered, and stays so, whatever it gives up, refuses and loses', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const table = new Table();
      const envoy = new ModelEnvoy(table);
      const settle = (): void => {
        for (let rounds = 0; envoy.waits; rounds++) {
          expect(rounds).toBeLessThan(1000);
          envoy.answer(true);
        }
      };
      for (const one of steps) {
        if (one.kind === 'put') table.hosts.set(one.host, one.version);
        if (one.kind === 'delete') table.hosts.delete(one.host);
        if (one.kind === 'put' || one.kind === 'delete') envoy.changed([one.host]);
        else if (one.kind === 'want') envoy.want(one.route);
        else if (one.kind === 'request') envoy.request(one.route, one.domain);
        else if (one.kind === 'leave') envoy.leave(one.route);
        else if (one.kind === 'answer') envoy.answer(one.accept);
        else envoy.reconnect(one.hostsFirst);
      }
      settle();
      expect([...envoy.waiting.keys()].filter((asked) => envoy.hosts.has(routeOf(asked)))).toEqual([]);
      if (steps.some((one) => one.kind === 'answer' && !one.accept)) {
        // What it refused is not sent again; anything newer is.
        for (const name of table.hosts.keys()) table.hosts.set(name, 'last');
        table.unknownVersion = 'last';
        envoy.changed(table.hosts.keys());
        settle();
      } else expect(envoy.tooEarly).toEqual([]);
      const asked = [...envoy.asked].filter((one) => envoy.hosts.has(routeOf(one)));
      expect(asked.filter((one) => !envoy.has(table.answer(one).name))).toEqual([]);
      const held = [...envoy.hosts.values()].flatMap((hosts) => [...hosts]);
      expect(held).toEqual(held.map(([name]) => [name, table.version(name)]));
      // It would report for ever what it was not told to forget. Where it asks for no routes, nobody can know that it asks for none.
      const reported = [...envoy.reported.keys()].filter((name) => !name.endsWith('|answers'));
      if (envoy.hosts.size > 0) expect(reported.sort()).toEqual(held.map(([name]) => name).sort());
    }),
    { numRuns: 300 },
  );
});
