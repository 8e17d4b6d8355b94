import { describe, expect, test } from '@jest/globals';
import type { DestinationPolicy, TrafficPolicy } from './destination-policy.ts';
import { DestinationIndex, effectivePolicy } from './destination-selection.ts';
import type { Visibility } from './visibility.ts';

const ROOT = 'istio-config';
const HOST = 'api.shop.svc.cluster.local';
const SERVICE = { hostname: HOST, namespace: 'shop' };
const lb = (simple: 'RANDOM' | 'ROUND_ROBIN' | 'LEAST_REQUEST'): TrafficPolicy => ({ loadBalancer: { simple } });

interface Options {
  readonly host?: string;
  readonly visibility?: Visibility;
  readonly clients?: Record<string, string>;
  readonly age?: number;
  readonly policy?: TrafficPolicy;
  readonly subsets?: readonly string[];
}

/** A rule by `namespace/name`; its subsets are told by a label with the rule's name. */
function rule(path: string, options: Options = {}): DestinationPolicy {
  const [namespace = '', name = ''] = path.split('/');
  const { host = HOST, visibility = '*', clients = {}, age = 0, policy, subsets = [] } = options;
  return {
    object: { kind: 'DestinationRule', namespace, name },
    key: `DestinationRule/${path}`,
    createdAt: age,
    host,
    visibility,
    clients,
    subsets: subsets.map((subset) => ({ name: subset, labels: { of: name } })),
    ...(policy === undefined ? {} : { policy }),
  };
}

function indexOf(rules: readonly DestinationPolicy[]): DestinationIndex {
  const index = new DestinationIndex();
  for (const one of rules) index.set(one.key, one);
  return index;
}

function chosen(rules: readonly DestinationPolicy[], namespace: string, labels = {}, service = SERVICE): string[] {
  const selected = indexOf(rules).select({ namespace, labels }, service, ROOT);
  return (selected?.keys ?? []).map((key) => key.replace('DestinationRule/', ''));
}

describe('the DestinationRule for a client and a service', () => {
  const client = rule('web/client');
  const owner = rule('shop/owner');
  const root = rule(`${ROOT}/root`);
  const wide = '*.local';

  test.each<[string, DestinationPolicy[], string, string[]]>([
    ["is the one of the client's namespace, before all others", [root, owner, client], 'web', ['web/client']],
    ["is else the one of the service's namespace", [root, owner, client], 'other', ['shop/owner']],
    ['is else the one of the root namespace', [root, client], 'other', [`${ROOT}/root`]],
    ['is none where no namespace has one', [client], 'other', []],
    ['is not one that is exported to others only', [rule('shop/owner', { visibility: ['web'] })], 'other', []],
    ['is one that is exported to the client', [rule('shop/owner', { visibility: ['web'] })], 'web', ['shop/owner']],
    ['in its own namespace needs no export', [rule('web/client', { visibility: ['x'] })], 'web', ['web/client']],
    [
      'that the client does not see hides none',
      [rule('shop/owner', { visibility: [] }), root],
      'web',
      [`${ROOT}/root`],
    ],
    ["of the root namespace comes for its own clients after the service's", [root, owner], ROOT, ['shop/owner']],
    [
      "of the root namespace that is for nobody else comes for its own clients before the service's",
      [rule(`${ROOT}/root`, { visibility: [ROOT] }), owner],
      ROOT,
      [`${ROOT}/root`],
    ],
    [
      'is that of the most specific host of its namespace',
      [
        rule('web/all', { host: '*' }),
        rule('web/most', { host: '*.shop.svc.cluster.local' }),
        rule('web/wide', { host: wide }),
      ],
      'web',
      ['web/most'],
    ],
    [
      "with the widest host still comes before the service's",
      [rule('web/all', { host: '*' }), owner],
      'web',
      ['web/all'],
    ],
    [
      'may have a wildcard within a label',
      [rule('web/part', { host: '*i.shop.svc.cluster.local' })],
      'web',
      ['web/part'],
    ],
    ['is not one for another host', [rule('web/other', { host: 'other.shop.svc.cluster.local' })], 'web', []],
    ['is not one for the hosts below it', [rule('web/below', { host: `*.${HOST}` })], 'web', []],
  ])('%s', (_, rules, namespace, keys) => {
    expect(chosen(rules, namespace)).toEqual(keys);
  });

  test('for a service with a wildcard must cover all of it', () => {
    const service = { hostname: '*.shop.example', namespace: 'shop' };
    const rules = [rule('web/one', { host: 'a.shop.example' }), rule('web/all', { host: '*.example' })];
    expect(chosen(rules, 'web', {}, service)).toEqual(['web/all']);
    expect(chosen([rule('web/same', { host: '*.shop.example' })], 'web', {}, service)).toEqual(['web/same']);
  });

  const selective = rule('web/selective', { clients: { app: 'a' }, visibility: ['web'] });
  test.each<[string, DestinationPolicy[], Record<string, string>, string[]]>([
    ['with a selector goes before the others', [client, selective], { app: 'a' }, ['web/selective', 'web/client']],
    ['with a selector is not for other pods', [client, selective], { app: 'b' }, ['web/client']],
    ['with a selector hides nothing from other pods', [owner, selective], {}, ['shop/owner']],
    [
      'with a selector that came later loses where two match',
      [selective, rule('web/z', { clients: { tier: 'x' }, age: 9 })],
      { app: 'a', tier: 'x' },
      ['web/selective'],
    ],
    [
      'with an equal selector is merged in',
      [selective, rule('web/z', { clients: { app: 'a' }, age: 9 })],
      { app: 'a' },
      ['web/selective', 'web/z'],
    ],
  ])('%s', (_, rules, labels, keys) => {
    expect(chosen(rules, 'web', labels)).toEqual(keys);
  });

  test('with a selector holds in its own namespace only', () => {
    expect(chosen([rule('shop/owner', { clients: { app: 'a' } })], 'web', { app: 'a' })).toEqual([]);
  });
});

describe('rules of one namespace for one host', () => {
  test('are united: of each subset, and of the traffic policy, the oldest counts', () => {
    const index = indexOf([
      rule('shop/young', { age: 3, subsets: ['v2', 'v3'], policy: lb('RANDOM') }),
      rule('shop/middle', { age: 2, subsets: ['v2'], policy: lb('LEAST_REQUEST') }),
      rule('shop/old', { age: 1, subsets: ['v1'] }),
    ]);
    const selected = index.select({ namespace: 'web', labels: {} }, SERVICE, ROOT);
    expect(selected?.policy).toEqual(lb('LEAST_REQUEST'));
    expect([...(selected?.subsets ?? [])].map(([name, { labels }]) => [name, labels.of])).toEqual([
      ['v1', 'old'],
      ['v2', 'middle'],
      ['v3', 'young'],
    ]);
  });

  test('of which one is left take its place again', () => {
    const index = indexOf([rule('shop/a', { subsets: ['v1'] }), rule('shop/b', { age: 1, subsets: ['v2'] })]);
    const client = { namespace: 'web', labels: {} };
    expect([...(index.select(client, SERVICE, ROOT)?.subsets.keys() ?? [])]).toEqual(['v1', 'v2']);
    index.set('DestinationRule/shop/a', undefined);
    expect([...(index.select(client, SERVICE, ROOT)?.subsets.keys() ?? [])]).toEqual(['v2']);
    index.set('DestinationRule/shop/b', rule('shop/b', { host: 'other.example' }));
    expect(index.select(client, SERVICE, ROOT)).toBeUndefined();
  });

  test('give all clients the same object, until one of them changes', () => {
    const index = indexOf([rule('shop/a', { subsets: ['v1'] })]);
    const first = index.select({ namespace: 'web', labels: {} }, SERVICE, ROOT);
    expect(index.select({ namespace: 'other', labels: { app: 'x' } }, SERVICE, ROOT)).toBe(first);
    index.set('DestinationRule/web/z', rule('web/z', { host: 'other.example' }));
    expect(index.select({ namespace: 'web', labels: {} }, SERVICE, ROOT)).toBe(first);
    index.set('DestinationRule/shop/a', rule('shop/a', { subsets: ['v2'] }));
    expect(index.select({ namespace: 'web', labels: {} }, SERVICE, ROOT)).not.toBe(first);
  });
});

test('rules with a selector that matches tell clients of a namespace apart', () => {
  const index = indexOf([rule('web/r', { host: '*.svc.cluster.local', clients: { app: 'a' } }), rule('shop/r')]);
  expect(index.selectiveRules({ namespace: 'web', labels: { app: 'a' } })).toEqual(['DestinationRule/web/r']);
  expect(index.selectiveRules({ namespace: 'web', labels: { app: 'b' } })).toEqual([]);
});

describe('the traffic policy of a port', () => {
  const pool = { tcp: { maxConnections: 1 } };
  const detection = { consecutive5xxErrors: 3 };
  const ofPort = (settings: object) => ({ portLevelSettings: [{ port: { number: 80 }, ...settings }] });
  const select = (policy: TrafficPolicy | undefined, subset?: TrafficPolicy) => ({
    keys: [],
    subsets: new Map([['v1', { name: 'v1', labels: {}, ...(subset === undefined ? {} : { policy: subset }) }]]),
    ...(policy === undefined ? {} : { policy }),
  });

  test.each<[string, TrafficPolicy | undefined, TrafficPolicy | undefined, number, TrafficPolicy]>([
    ['is empty without any', undefined, undefined, 80, {}],
    ["is the rule's", lb('RANDOM'), undefined, 80, lb('RANDOM')],
    [
      "has the subset's fields over the rule's, one by one",
      { ...lb('RANDOM'), connectionPool: pool },
      { ...lb('ROUND_ROBIN'), outlierDetection: detection },
      80,
      { ...lb('ROUND_ROBIN'), connectionPool: pool, outlierDetection: detection },
    ],
    [
      'is wholly what the settings of the port say',
      { ...lb('RANDOM'), ...ofPort({ connectionPool: pool }) },
      undefined,
      80,
      { connectionPool: pool },
    ],
    [
      'is not what those of another port say',
      { ...lb('RANDOM'), ...ofPort({ connectionPool: pool }) },
      undefined,
      81,
      lb('RANDOM'),
    ],
    [
      "has the subset's fields over those of the rule's port",
      { ...lb('RANDOM'), ...ofPort({ connectionPool: pool }) },
      lb('ROUND_ROBIN'),
      80,
      { connectionPool: pool, ...lb('ROUND_ROBIN') },
    ],
    [
      'is what the subset says of the port, but for what no port has settings for',
      { ...lb('RANDOM'), connectionPool: pool, proxyProtocol: { version: 'V2' } },
      ofPort({ outlierDetection: detection }),
      80,
      { outlierDetection: detection, proxyProtocol: { version: 'V2' } },
    ],
  ])('%s', (_, policy, subset, port, expected) => {
    expect(effectivePolicy(select(policy, subset), 'v1', port)).toEqual(expected);
  });

  test('of a subset that nobody defines is that of the service', () => {
    expect(effectivePolicy(select(lb('RANDOM')), 'constructor', 80)).toEqual(lb('RANDOM'));
    expect(effectivePolicy(undefined, 'v1', 80)).toEqual({});
  });
});
