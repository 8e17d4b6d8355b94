import fc from 'fast-check';
import type { VirtualServiceSpec } from '../../../api/virtual-service.ts';
import { given, maybe } from '../../../operator/mesh/testing/optional.ts';

/** A request of a kind that rules tell apart. */
export interface TrafficRequest {
  /** Requests for a WebSocket have no body, and are GETs. */
  readonly protocol: 'HTTP/1.1' | 'HTTP/2' | 'WebSocket';
  readonly method: 'GET' | 'POST';
  readonly host: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: number;
}

/** A connection of opaque TCP. */
export interface TrafficConnection {
  readonly protocol: 'TCP';
  readonly host: string;
  readonly bytes: number;
}

/** What is sent to some hosts: some rules for one of them. */
export interface RandomRules {
  readonly host: string;
  readonly spec: VirtualServiceSpec;
}

const PATHS = ['/', '/a', '/a/b', '/c'];
const USERS = ['ann', 'bob'];

/** @param names of Services; some may be gone at times */
export function trafficRequests(names: readonly string[]): fc.Arbitrary<TrafficRequest> {
  const known = fc
    .tuple(fc.constantFrom(...names), fc.constantFrom('', '.shop', '.shop.svc', '.shop.svc.cluster.local', ':80'))
    .map(([name, rest]) => `${name}${rest}`);
  return fc
    .record({
      protocol: fc.constantFrom('HTTP/1.1' as const, 'HTTP/1.1' as const, 'HTTP/2' as const, 'WebSocket' as const),
      method: fc.constantFrom('GET' as const, 'POST' as const),
      host: fc.oneof(
        { weight: 9, arbitrary: known },
        { weight: 1, arbitrary: fc.constantFrom('nobody', 'a.example.com') },
      ),
      path: fc.constantFrom(...PATHS),
      user: maybe(fc.constantFrom(...USERS)),
      bytes: fc.constantFrom(0, 10, 70_000),
    })
    .map(({ user, bytes, protocol, method, ...rest }) => ({
      ...rest,
      protocol,
      method: protocol === 'WebSocket' ? ('GET' as const) : method,
      bytes: protocol !== 'WebSocket' && method === 'POST' ? bytes : 0,
      headers: user === undefined ? {} : { 'x-user': user },
    }));
}

/** @param names of Services of TCP */
export function trafficConnections(names: readonly string[]): fc.Arbitrary<TrafficConnection> {
  const bytes = fc.constantFrom(0, 10, 70_000);
  return fc.record({ protocol: fc.constant('TCP' as const), host: fc.constantFrom(...names), bytes });
}

/** Rules of TCP for one of the Services that lead to any of them, to subsets that exist or do not, or to one that never existed. */
export function randomTcpRules(names: readonly string[]): fc.Arbitrary<RandomRules> {
  const to = fc.array(destinations(names), { minLength: 1, maxLength: 2 });
  return fc.tuple(fc.constantFrom(...names), to).map(([host, found]) => {
    const route = found.map((destination) => ({ destination, ...(found.length > 1 && { weight: 50 }) }));
    return { host, spec: { hosts: [host], tcp: [{ route }] } as VirtualServiceSpec };
  });
}

function destinations(names: readonly string[]) {
  return fc
    .record({ host: fc.constantFrom(...names, 'ghost'), subset: maybe(fc.constantFrom('v1', 'v2', 'v3')) })
    .map(given);
}

/** Rules for one of the Services that lead to any of them, to subsets that exist or do not, to one that never existed, or nowhere. */
export function randomRules(names: readonly string[]): fc.Arbitrary<RandomRules> {
  const destination = destinations(names);
  const headers = fc.constantFrom(
    { request: { set: { 'x-rule': 'one' } } },
    { request: { remove: ['x-user'] }, response: { add: { 'x-rule': 'two' } } },
    { response: { set: { 'x-rule': 'three' } } },
  );
  const forward = fc
    .record({
      to: fc.array(destination, { minLength: 1, maxLength: 2 }),
      headers: maybe(headers),
      rewrite: maybe(fc.constantFrom({ uri: '/rewritten' }, { authority: 'other.example.com' })),
      timeout: maybe(fc.constant('10s')),
      retries: maybe(fc.constantFrom({ attempts: 0 }, { attempts: 2, retryOn: '5xx,reset' })),
      mirror: maybe(fc.constantFrom(...names).map((host) => ({ host }))),
      fault: maybe(fc.constantFrom({ abort: { httpStatus: 418, percentage: { value: 100 } } })),
    })
    .map(({ to, ...rest }) =>
      given({ route: to.map((one) => ({ destination: one, ...(to.length > 1 && { weight: 50 }) })), ...rest }),
    );
  const action = fc.oneof(
    { weight: 6, arbitrary: forward },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        { redirect: { uri: '/moved' } },
        { directResponse: { status: 503, body: { string: 'closed' } } },
      ),
    },
  );
  const match = fc
    .record({
      uri: maybe(fc.constantFrom({ prefix: '/a' }, { exact: '/a' }, { prefix: '/c' })),
      headers: maybe(fc.constantFrom(...USERS).map((exact) => ({ 'x-user': { exact } }))),
    })
    .map(given);
  const rule = fc
    .tuple(fc.array(match, { maxLength: 2 }), action)
    .map(([matches, rest]) => ({ ...(matches.length > 0 && { match: matches }), ...rest }));
  return fc
    .tuple(fc.constantFrom(...names), fc.array(rule, { minLength: 1, maxLength: 3 }))
    .map(([host, http]) => ({ host, spec: { hosts: [host], http } as VirtualServiceSpec }));
}
