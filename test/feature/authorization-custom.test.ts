import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { pod, service, slice } from '../../operator/mesh/testing/objects.ts';
import { asking, CustomWorld, entryOf } from './support/custom-world.ts';
import { freePort } from './support/free-port.ts';
import { HttpAuthorizer } from './support/http-authorizer.ts';

/** The action CUSTOM with providers that are asked by HTTP, with a real Envoy and real servers. */

const UI = 'cluster.local/ns/shop/sa/ui';
const authorizer = new HttpAuthorizer();
const at = (host: string, more: object = {}) => ({
  service: `auth/${host}`,
  port: 9000,
  includeRequestHeadersInCheck: ['x-verdict', 'x-forwarded-client-cert'],
  ...more,
});
const allow = { 'x-verdict': 'allow' };
const deny = { 'x-verdict': 'deny' };

const PROVIDERS = [
  {
    name: 'login',
    envoyExtAuthzHttp: at('login.example.com', {
      pathPrefix: '/check',
      includeAdditionalHeadersInCheck: { 'x-mesh': 'shop' },
      headersToUpstreamOnAllow: ['x-user'],
      headersToDownstreamOnDeny: ['x-why'],
      headersToDownstreamOnAllow: ['x-check*'],
    }),
  },
  { name: 'plain', envoyExtAuthzHttp: at('login.example.com') },
  { name: 'body', envoyExtAuthzHttp: at('login.example.com', { includeRequestBodyInCheck: { maxRequestBytes: 8 } }) },
  {
    name: 'part',
    envoyExtAuthzHttp: at('login.example.com', {
      includeRequestBodyInCheck: { maxRequestBytes: 8, allowPartialMessage: true },
    }),
  },
  { name: 'hasty', envoyExtAuthzHttp: at('login.example.com', { timeout: '300ms', statusOnError: '504' }) },
  { name: 'open', envoyExtAuthzHttp: at('down.example.com', { failOpen: true }) },
  { name: 'closed', envoyExtAuthzHttp: at('down.example.com') },
  { name: 'status', envoyExtAuthzHttp: at('down.example.com', { statusOnError: '503' }) },
  { name: 'secured', envoyExtAuthzHttp: { ...at(''), service: 'vault.shop.svc.cluster.local' } },
  { name: 'gone', envoyExtAuthzHttp: at('gone.example.com', { failOpen: true }) },
];

const denies = (paths: string[]) => ({ action: 'DENY' as const, rules: [{ to: [{ operation: { paths } }] }] });
const world = new CustomWorld(PROVIDERS, {
  login: { policies: [asking('login')] },
  plain: { policies: [asking('plain')] },
  body: { policies: [asking('body')] },
  part: { policies: [asking('part')] },
  hasty: { policies: [asking('hasty')] },
  open: { policies: [asking('open')] },
  closed: { policies: [asking('closed')] },
  status: { policies: [asking('status')] },
  gone: { policies: [asking('gone')] },
  secured: { policies: [asking('secured')] },
  unknown: { policies: [asking('nobody')] },
  order: {
    policies: [asking('plain'), denies(['/denied']), { rules: [{ to: [{ operation: { methods: ['GET'] } }] }] }],
  },
  both: { policies: [asking('login', { to: [{ operation: { paths: ['/a*'] } }] }), asking('plain')] },
  some: {
    policies: [
      asking('plain', { to: [{ operation: { paths: ['/admin', '/admin/*'] } }] }),
      asking('plain', { when: [{ key: 'request.headers[x-team]', values: ['ops'] }] }),
    ],
  },
  tcp: { protocol: 'tcp', policies: [asking('plain', { to: [{ operation: { paths: ['/a'] } }] })] },
});

let port: number;
let secured: HttpAuthorizer | undefined;

beforeAll(async () => {
  port = await authorizer.start();
  await world.start({ 'login.example.com': port, 'down.example.com': await freePort() }, [UI]);
}, 60_000);
afterAll(async () => {
  await world.stop();
  authorizer.stop();
  secured?.stop();
});
beforeEach(() => void authorizer.asked.splice(0));

describe('a provider that is asked by HTTP', () => {
  test('allows: the application and the caller get the headers that are for them', async () => {
    const headers = { ...allow, 'x-user': 'root', 'x-mesh': 'mine', 'x-other': 'kept to itself' };
    const answer = await world.ask('login', '/cart?id=1', { method: 'POST', headers, body: 'not for it' });
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({ 'x-checked': 'yes' });
    expect(answer.headers).not.toHaveProperty('x-secret');
    expect(world.got('login').at(-1)?.headers).toMatchObject({ 'x-user': 'ann', 'x-other': 'kept to itself' });
    expect(world.got('login').at(-1)?.headers).not.toHaveProperty('x-secret');
    const [asked] = authorizer.asked;
    expect(asked).toMatchObject({ method: 'POST', url: '/check/cart?id=1', body: '' });
    expect(asked?.headers).toMatchObject({ host: 'shop.example', 'x-mesh': 'shop', 'x-verdict': 'allow' });
    expect(asked?.headers).not.toHaveProperty('x-other');
  });

  test('denies: the caller gets its status, its body and the headers that are for it', async () => {
    const before = world.got('login').length;
    const answer = await world.ask('login', '/', { headers: deny });
    expect(answer).toMatchObject({ status: 401, body: 'verdict: deny', headers: { 'x-why': 'because' } });
    expect(answer.headers).not.toHaveProperty('x-secret');
    expect(answer.headers).not.toHaveProperty('x-heddle-undelivered');
    expect(world.got('login')).toHaveLength(before);
    // Unless said otherwise, all of them.
    expect((await world.ask('plain', '/', { headers: deny })).headers).toHaveProperty('x-secret');
  });

  test('is told who calls by mTLS', async () => {
    const made = { 'x-forwarded-client-cert': 'URI=spiffe://made/up' };
    expect((await world.ask('plain', '/', { headers: { ...allow, ...made }, principal: UI })).status).toBe(200);
    expect(String(authorizer.asked[0]?.headers['x-forwarded-client-cert'])).toContain(`URI=spiffe://${UI}`);
    expect(String(authorizer.asked[0]?.headers['x-forwarded-client-cert'])).not.toContain('made/up');
  });

  test('is sent bodies up to a length', async () => {
    const send = (name: string, body: string) => world.ask(name, '/', { method: 'POST', headers: allow, body });
    expect(await send('body', 'short')).toMatchObject({ status: 200, body: expect.stringContaining('"bytes":5') });
    expect((await send('body', 'much longer than that')).status).toBe(413);
    expect(await send('part', 'much longer than that')).toMatchObject({
      status: 200,
      body: expect.stringContaining('"bytes":21'),
    });
    expect(authorizer.asked.map(({ body }) => body)).toEqual(['short', 'much lon']);
  });
});

describe('a provider that gives no answer', () => {
  test.each([
    ['is waited for no longer than its timeout', 'hasty', 'hang', 504],
    ['is not one when it answers 5xx', 'hasty', 'break', 504],
    ['denies', 'closed', 'allow', 403],
    ['denies with a status of its own', 'status', 'allow', 503],
    ['lets pass where it fails open', 'open', 'deny', 200],
  ])('%s', async (_, name, verdict, status) => {
    const answer = await world.ask(name, '/', { headers: { 'x-verdict': verdict } });
    expect(answer.status).toBe(status);
    expect(answer.headers).not.toHaveProperty('x-heddle-undelivered');
  });

  test('denies whatever it says of failing when nobody knows it, and the condition says which', async () => {
    for (const name of ['gone', 'unknown']) {
      expect(await world.ask(name, '/', { headers: allow })).toMatchObject({
        status: 403,
        body: 'RBAC: access denied',
      });
    }
    expect(world.notes('gone')).toContain('of the provider "gone" nobody knows the service auth/gone.example.com');
    expect(world.notes('unknown')).toContain('the mesh configuration has no provider "nobody"');
  });
});

describe('whom is asked about what', () => {
  test('a provider is asked before DENY and ALLOW are, and all must allow', async () => {
    expect((await world.ask('order', '/denied', { headers: allow })).body).toBe('RBAC: access denied');
    expect((await world.ask('order', '/denied', { headers: deny })).body).toBe('verdict: deny');
    expect((await world.ask('order', '/', { headers: allow, method: 'PUT' })).status).toBe(403);
    expect((await world.ask('order', '/', { headers: allow })).status).toBe(200);
    expect(authorizer.asked).toHaveLength(4);
  });

  test('each of several providers is asked about what the policies that name it match', async () => {
    expect((await world.ask('both', '/a', { headers: allow })).status).toBe(200);
    expect(authorizer.asked.map(({ url }) => url)).toEqual(['/check/a', '/a']);
    expect((await world.ask('both', '/b', { headers: allow })).status).toBe(200);
    expect(authorizer.asked.map(({ url }) => url)).toEqual(['/check/a', '/a', '/b']);
    expect((await world.ask('both', '/b', { headers: deny })).status).toBe(401);
  });

  test.each([
    ['/public', {}, false],
    ['/administration', {}, false],
    ['/admin', {}, true],
    ['/admin?public', {}, true],
    ['/public/../admin', {}, true],
    ['/public/%2e%2e/admin/users', {}, true],
    ['/%61dmin', {}, true],
    ['/./admin/', {}, true],
    ['/public', { 'x-team': 'ops' }, true],
    ['/public', { 'x-team': 'dev, ops' }, true],
    ['/public', { 'x-team': 'dev' }, false],
  ])('%s with %j: asked %s', async (path, headers, isAsked) => {
    expect((await world.ask('some', path, { headers })).status).toBe(isAsked ? 401 : 200);
    expect(authorizer.asked).toHaveLength(isAsked ? 1 : 0);
  });

  test('on TCP it can not be asked: what a rule matches there is denied, and the condition says so', async () => {
    expect(await world.say('tcp')).toBe('');
    expect(authorizer.asked).toEqual([]);
    expect(world.notes('tcp')).toContain('"plain" is asked by HTTP');
  });

  test('another host of that name in the namespace of the workload is not asked', async () => {
    world.mesh.put(entryOf('login.example.com', await freePort(), 'shop'));
    expect((await world.ask('plain', '/', { headers: allow })).status).toBe(200);
    expect(await world.admin('/clusters')).toContain('authorizer|9000|http|auth/login.example.com');
  });
});

test('a provider that comes is asked from then on, until it goes', async () => {
  const request = { headers: deny };
  world.mesh.put(entryOf('gone.example.com', port));
  await world.untilAnswered(401, 'gone', request);
  expect(world.notes('gone')).not.toContain('nobody knows');
  world.mesh.apply([{ kind: 'ServiceEntry', key: 'auth/gone.example.com', object: undefined }]);
  await world.untilAnswered(403, 'gone', request);
}, 90_000);

test('a provider in the mesh is asked over mTLS', async () => {
  const { workload, rootPem } = world.credentials;
  secured = new HttpAuthorizer({ ...workload, ca: rootPem });
  const targetPort = await secured.start();
  const server = pod('vault', { address: '127.0.0.1', labels: { app: 'vault' } });
  const ports = [{ name: 'tcp', port: 9000, targetPort }];
  expect((await world.ask('secured', '/', { headers: allow })).body).toBe('RBAC: access denied');
  world.mesh.put(
    { kind: 'Pod', object: server },
    { kind: 'Service', object: service('vault', { app: 'vault' }, { ports }) },
    { kind: 'EndpointSlice', object: slice('vault', [server], { tcp: targetPort }) },
  );
  await world.untilAnswered(200, 'secured', { headers: allow });
  expect(secured.asked.at(-1)?.asker).toBe('URI:spiffe://cluster.local/ns/shop/sa/default');
}, 90_000);
