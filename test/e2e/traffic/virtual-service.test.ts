import { describe, expect } from '@jest/globals';
import { programmed } from '../support/conditions.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { expectShare } from '../support/share.ts';
import { Client, type RequestSpec } from '../support/testbed-client.ts';
import { client, versionedServer } from '../support/testbed-objects.ts';
import { testbedPods } from '../support/testbed-pods.ts';
import { marked, RuleBook, ruleOf, SERVER, shares, subsetsOf, to } from '../support/virtual-service-objects.ts';

const home = useNamespace('routes');
const abroad = useNamespace('abroad');
const caller = new Client(home, 'deployment/caller');
const foreigner = new Client(abroad, 'deployment/caller');
const book = new RuleBook();

/** `http://HOST.NAMESPACE/PATH`, which callers of both namespaces can ask for. */
const url = (host: string, path = '/', port = 80): string => `http://${host}.${home.name}:${port}${path}`;

/** How often the pods of a version saw requests with a key. */
async function seen(key: string, version = 'v1'): Promise<number> {
  const pods = await testbedPods(home, `app=${SERVER},version=${version}`);
  return (await caller.seen(pods, key)).reduce((sum, { count }) => sum + count, 0);
}

clusterSetup(
  [home, abroad],
  async () => {
    await Promise.all([
      home.apply(
        ...versionedServer(SERVER, ['v1', 'v2']),
        ...client('caller', { labels: { tier: 'gold' } }),
        subsetsOf(SERVER),
        ...book.objects,
      ),
      abroad.apply(...client('caller')),
    ]);
    await Promise.all([`${SERVER}-v1`, `${SERVER}-v2`, 'caller'].map((name) => home.rolledOut(name)));
    await abroad.rolledOut('caller');
    for (const name of book.virtualServices) await programmed(home, 'virtualservice', name);
  },
  240_000,
);

describe('matches', () => {
  const uri = (prefix: string): object => ({ uri: { prefix } });
  book.host('matches', {
    http: [
      marked('exact', { uri: { exact: '/exact' } }),
      marked('prefix', uri('/prefix')),
      marked('regex', { uri: { regex: '/items/[0-9]+(\\?.*)?' } }),
      marked('any-case', { uri: { prefix: '/Loud' }, ignoreUriCase: true }),
      marked('method', { ...uri('/method'), method: { exact: 'DELETE' } }),
      marked('scheme', { ...uri('/scheme'), scheme: { exact: 'http' } }),
      marked('authority', { ...uri('/authority'), authority: { prefix: 'matches.' } }),
      marked('header', { ...uri('/header'), headers: { 'x-a': { exact: '1' }, 'x-b': { regex: 'b+' }, 'x-c': {} } }),
      marked('without', { ...uri('/without'), withoutHeaders: { 'x-skip': { exact: 'please' } } }),
      marked('query', { ...uri('/query'), queryParams: { a: { exact: '1' }, b: { regex: '[0-9]+' } } }),
      marked('port', { ...uri('/port'), port: 8000 }),
      marked('labels', { ...uri('/source'), sourceLabels: { app: 'caller', tier: 'gold' } }),
      marked('namespace', { ...uri('/source'), sourceNamespace: abroad.name }),
      marked('rest', uri('/')),
    ],
  });

  const all = { 'x-a': '1', 'x-b': 'bbb', 'x-c': 'anything' };
  const cases: [path: string, rule: string, rest?: Partial<RequestSpec>, port?: number][] = [
    ['/exact', 'exact'],
    ['/exact?query', 'exact'],
    ['/exact/more', 'rest'],
    ['/prefix/more', 'prefix'],
    ['/items/42?page=2', 'regex'],
    ['/items/none', 'rest'],
    ['/items/42/more', 'rest'],
    ['/LOUDER', 'any-case'],
    ['/EXACT', 'rest'],
    ['/method', 'method', { method: 'DELETE' }],
    ['/method', 'rest'],
    ['/scheme', 'scheme'],
    ['/authority', 'authority'],
    ['/authority', 'rest', { headers: { host: 'matches' } }],
    ['/header', 'header', { headers: all }],
    ['/header', 'rest', { headers: { ...all, 'x-b': 'bbc' } }],
    ['/header', 'rest', { headers: { 'x-a': '1', 'x-b': 'b' } }],
    ['/without', 'without'],
    ['/without', 'without', { headers: { 'x-skip': 'never' } }],
    ['/without', 'rest', { headers: { 'x-skip': 'please' } }],
    ['/query?b=7&a=1', 'query'],
    ['/query?a=1&b=seven', 'rest'],
    ['/query?a=1', 'rest'],
    ['/port', 'port', {}, 8000],
    ['/port', 'rest'],
    ['/source', 'labels'],
  ];

  clusterTest('each kind takes what it should and nothing else', [home], async () => {
    const plan = cases.map(([path, , rest, port]) => ({ ...rest, url: url('matches', path, port) }));
    const found = (await caller.plan(plan)).map((report, i) => `${cases[i]?.[0]} ${ruleOf(report)}`);
    expect(found).toEqual(cases.map(([path, rule]) => `${path} ${rule}`));
  });

  clusterTest('who calls decides, by labels and by namespace', [home, abroad], async () => {
    const plan = [{ url: url('matches', '/source') }, { url: url('matches', '/exact') }];
    expect((await foreigner.plan(plan)).map(ruleOf)).toEqual(['namespace', 'exact']);
  });
});

describe('answers and rewrites', () => {
  const prefix = (path: string): object => ({ match: [{ uri: { prefix: path } }] });
  book.host('answers', {
    http: [
      { ...prefix('/moved'), redirect: { uri: '/new', authority: 'shop.example', redirectCode: 308 } },
      { ...prefix('/secure'), redirect: { scheme: 'https' } },
      { ...prefix('/teapot'), directResponse: { status: 418, body: { string: 'short and stout' } } },
      { ...prefix('/old/'), rewrite: { uri: '/new/', authority: 'inner.example' }, route: to('v1') },
      {
        ...prefix('/v'),
        rewrite: { uriRegexRewrite: { match: '^/v([0-9]+)/(.*)$', rewrite: '/\\2/version/\\1' } },
        route: to('v1'),
      },
    ],
  });

  clusterTest('redirect and directResponse come from the sidecar', [home], async () => {
    const plan = ['/moved', '/secure/a?b=c', '/teapot'].map((path) => ({ url: url('answers', path) }));
    const [moved, secure, teapot] = (await caller.plan(plan)).map(({ answers }) => answers[0]);
    expect([moved?.status, moved?.headers?.location]).toEqual([308, 'http://shop.example/new']);
    expect([secure?.status, secure?.headers?.location]).toEqual([301, `https://answers.${home.name}/secure/a?b=c`]);
    expect([teapot?.status, teapot?.body]).toEqual([418, 'short and stout']);
  });

  clusterTest('rewrite changes path and host, and what no rule takes is answered 404', [home], async () => {
    const plan = ['/old/a?b=c', '/v7/items?b=c', '/nothing'].map((path) => ({ url: url('answers', path) }));
    const [plain, regex, nothing] = (await caller.plan(plan)).map(({ answers }) => answers[0]);
    expect([plain?.echo?.path, plain?.echo?.headers.host]).toEqual(['/new/a?b=c', 'inner.example']);
    expect(regex?.echo?.path).toBe('/items/version/7?b=c');
    expect(nothing?.status).toBe(404);
  });

  book.host('heads', {
    http: [
      {
        headers: {
          request: { set: { 'x-set': 'route' }, add: { 'x-add': 'route' }, remove: ['x-remove'] },
          response: { set: { 'x-answer': 'route' }, remove: ['x-hooks'] },
        },
        route: [
          {
            destination: { host: SERVER, subset: 'v2' },
            weight: 100,
            headers: { request: { add: { 'x-add': 'v2' } }, response: { add: { 'x-from': 'v2' } } },
          },
          { destination: { host: SERVER, subset: 'v1' }, weight: 0, headers: { request: { add: { 'x-add': 'v1' } } } },
        ],
      },
    ],
  });

  clusterTest('headers are set, added and removed, for the route and for the destination', [home], async () => {
    const headers = { 'x-set': 'mine', 'x-add': 'mine', 'x-remove': 'mine', 'x-keep': 'mine' };
    const [answer] = (await caller.many(url('heads'), { headers })).answers;
    const arrived = answer?.echo?.headers ?? {};
    expect(arrived).toMatchObject({ 'x-set': 'route', 'x-keep': 'mine' });
    expect(arrived['x-add']?.split(/, ?/).toSorted()).toEqual(['mine', 'route', 'v2']);
    expect(arrived).not.toHaveProperty('x-remove');
    expect(answer?.headers).toMatchObject({ 'x-answer': 'route', 'x-from': 'v2' });
    expect(answer?.headers).not.toHaveProperty('x-hooks');
  });

  book.host('cors', {
    http: [
      {
        corsPolicy: {
          allowOrigins: [{ exact: 'https://shop.example' }, { regex: 'https://[a-z]+\\.partner\\.example' }],
          allowMethods: ['GET', 'PUT'],
          allowHeaders: ['x-order'],
          exposeHeaders: ['x-total'],
          allowCredentials: true,
          maxAge: '1h',
        },
        route: to('v1'),
      },
    ],
  });

  clusterTest('corsPolicy answers preflights of those it allows', [home], async () => {
    const ask = { 'access-control-request-method': 'PUT', 'access-control-request-headers': 'x-order' };
    const [allowed, partner, stranger] = await caller.plan([
      { url: url('cors', '/?key=cors'), method: 'OPTIONS', headers: { ...ask, origin: 'https://shop.example' } },
      { url: url('cors'), headers: { origin: 'https://a.partner.example' } },
      { url: url('cors'), headers: { origin: 'https://stranger.example' } },
    ]);
    expect(allowed?.answers[0]?.headers).toMatchObject({
      'access-control-allow-origin': 'https://shop.example',
      'access-control-allow-methods': 'GET,PUT',
      'access-control-allow-headers': 'x-order',
      'access-control-allow-credentials': 'true',
      'access-control-max-age': '3600',
    });
    expect(await seen('cors')).toBe(0);
    expect(partner?.answers[0]?.headers).toMatchObject({
      'access-control-allow-origin': 'https://a.partner.example',
      'access-control-expose-headers': 'x-total',
    });
    expect(stranger?.answers[0]?.headers).not.toHaveProperty('access-control-allow-origin');
  });
});

describe('shares', () => {
  book.host('canaried', { http: [{ route: shares(95, 5) }] });
  book.host('bytes', { tcp: [{ match: [{ port: 90 }], route: shares(70, 30) }] });

  clusterTest('95 and 5 % of 2,500 requests are 95 and 5 %', [home], async () => {
    const { ok, versions } = await caller.many(url('canaried'), { count: 2500, concurrency: 8 });
    expect(ok).toBe(2500);
    expectShare(versions.v2, 2500, 0.05);
  });

  clusterTest('weights of TCP count connections', [home], async () => {
    const { ok, versions } = await caller.tcpMany(`bytes.${home.name}:90`, { count: 500, concurrency: 8 });
    expect(ok).toBe(500);
    expectShare(versions.v2, 500, 0.3);
  });

  book.add({
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: { name: 'vault' },
    spec: {
      hosts: ['vault.example', 'other.vault.example'],
      ports: [{ name: 'tls', number: 443, protocol: 'TLS' }],
      resolution: 'NONE',
    },
  });
  book.virtualService('vault', {
    hosts: ['vault.example'],
    tls: [{ match: [{ port: 443, sniHosts: ['vault.example'] }], route: to('v2', 443) }],
  });
  book.virtualService('wild', { hosts: ['*.wild.example'], http: [marked('wild', { uri: { prefix: '/' } })] });

  clusterTest('TLS goes by the name in its handshake, HTTP by a wildcard for its host', [home], async () => {
    // A host of ServiceEntry has no address here, so the handshake goes to one that nobody has.
    const [vault, wild, bare] = await caller.plan([
      { url: 'https://192.0.2.1:443/', protocol: 'tls', sni: 'vault.example', count: 10 },
      { url: url('canaried'), headers: { host: 'a.b.wild.example' } },
      { url: url('canaried'), headers: { host: 'wild.example' }, timeoutMs: 3000 },
    ]);
    expect(vault?.versions).toEqual({ v2: 10 });
    expect(vault?.answers[0]?.echo?.tls?.sni).toBe('vault.example');
    expect(ruleOf(wild)).toBe('wild');
    expect(bare?.answers[0]?.headers ?? {}).not.toHaveProperty('x-rule');
  });
});
