import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { asking, CustomWorld } from './support/custom-world.ts';
import { freePort } from './support/free-port.ts';
import { GrpcAuthorizer } from './support/grpc-authorizer.ts';

/** The action CUSTOM with providers that are asked by gRPC, about requests and connections, with a real Envoy and a real server. */

const UI = 'cluster.local/ns/shop/sa/ui';
const HOST = 'opa.example.com';
const authorizer = new GrpcAuthorizer();
const at = (host: string, more: object = {}) => ({ service: host, port: 9000, ...more });
const allow = { 'x-verdict': 'allow' };

const visible = { service: `auth/${HOST}`, port: 9000 };
const PROVIDERS = [
  { name: 'opa', envoyExtAuthzGrpc: visible },
  {
    name: 'bytes',
    envoyExtAuthzGrpc: { ...visible, includeRequestBodyInCheck: { maxRequestBytes: 100, packAsBytes: true } },
  },
  { name: 'text', envoyExtAuthzGrpc: { ...visible, includeRequestBodyInCheck: { maxRequestBytes: 100 } } },
  { name: 'open', envoyExtAuthzGrpc: at('auth/down.example.com', { failOpen: true }) },
  { name: 'closed', envoyExtAuthzGrpc: at('auth/down.example.com') },
  { name: 'hidden', envoyExtAuthzGrpc: at(HOST, { failOpen: true }) },
];
/** Allows what the provider says of the caller. */
const knows = (key: string, ...values: string[]) => ({
  policies: [
    asking('opa'),
    { rules: [{ when: [{ key: `experimental.envoy.filters.http.ext_authz[${key}]`, values }] }] },
  ],
});
const tcp = { protocol: 'tcp' as const };
const world = new CustomWorld(PROVIDERS, {
  opa: { policies: [asking('opa')] },
  bytes: { policies: [asking('bytes')] },
  text: { policies: [asking('text')] },
  open: { policies: [asking('open')] },
  closed: { policies: [asking('closed')] },
  hidden: { policies: [asking('hidden')] },
  tenant: knows('tenant', 'other', 'ac*'),
  tenantInList: knows('tenant', '[acme]'),
  writers: knows('roles', '[writer]'),
  readers: knows('roles', '[re*]'),
  owners: knows('roles', '[owner]'),
  roleAsText: knows('roles', 'writer'),
  tcp: { ...tcp, policies: [asking('opa')] },
  paths: { ...tcp, policies: [asking('opa', { to: [{ operation: { paths: ['/a'] } }] })] },
  elsewhere: { ...tcp, policies: [asking('opa', { from: [{ source: { ipBlocks: ['192.0.2.0/24'] } }] })] },
  denied: {
    ...tcp,
    policies: [asking('opa'), { action: 'DENY', rules: [{ from: [{ source: { ipBlocks: ['127.0.0.0/8'] } }] }] }],
  },
  tcpOpen: { ...tcp, policies: [asking('open')] },
  tcpClosed: { ...tcp, policies: [asking('closed')] },
});

beforeAll(async () => {
  await world.start({ [HOST]: await authorizer.start(), 'down.example.com': await freePort() }, [UI]);
}, 60_000);
afterAll(async () => {
  await world.stop();
  authorizer.stop();
});
beforeEach(() => {
  authorizer.asked.splice(0);
  authorizer.allowsConnections = true;
});

describe('a provider that is asked about requests', () => {
  test('allows, with what it says of headers', async () => {
    const answer = await world.ask('opa', '/cart?id=1', { headers: { ...allow, 'x-user': 'root' }, principal: UI });
    expect(answer).toMatchObject({ status: 200, headers: { 'x-checked': 'grpc' } });
    expect(world.got('opa').at(-1)?.headers).toMatchObject({ 'x-user': 'bob' });
    expect(world.got('opa').at(-1)?.headers).not.toHaveProperty('x-verdict');
    const attributes = authorizer.asked[0]?.attributes;
    expect(attributes?.source?.principal).toBe(`spiffe://${UI}`);
    expect(attributes?.request?.http).toMatchObject({ method: 'GET', path: '/cart?id=1', host: 'shop.example' });
    expect([...authorizer.hosts]).toEqual([HOST]);
  });

  test('denies, with its status, headers and body', async () => {
    const answer = await world.ask('opa');
    expect(answer).toMatchObject({ status: 402, body: 'pay first', headers: { 'x-why': 'unpaid' } });
  });

  test('is sent bodies as text or as bytes', async () => {
    const request = { method: 'POST', headers: allow, body: 'the body' };
    for (const name of ['text', 'bytes', 'opa']) expect((await world.ask(name, '/', request)).status).toBe(200);
    const bodies = authorizer.asked.map(({ attributes }) => attributes?.request?.http);
    expect(bodies.map((http) => http?.body)).toEqual(['the body', '', '']);
    expect(bodies.map((http) => Buffer.from(http?.rawBody ?? []).toString())).toEqual(['', 'the body', '']);
  });

  test('that is down denies, or lets pass where it fails open', async () => {
    expect((await world.ask('closed', '/', { headers: allow })).status).toBe(403);
    expect((await world.ask('open')).status).toBe(200);
  });

  test.each([
    ['tenant', 200],
    ['writers', 200],
    ['readers', 200],
    ['tenantInList', 403],
    ['owners', 403],
    ['roleAsText', 403],
  ])(
    'says more of the caller, by which policies decide: a text, or in brackets one of a list (%s)',
    async (name, code) => {
      expect((await world.ask(name, '/', { headers: allow })).status).toBe(code);
    },
  );

  test('is not known where its host is named without its namespace and is for nobody else', async () => {
    expect((await world.ask('hidden', '/', { headers: allow })).body).toBe('RBAC: access denied');
    expect(world.notes('hidden')).toContain(`nobody knows the service ${HOST}`);
  });
});

describe('a provider that is asked about connections', () => {
  test('allows and denies', async () => {
    expect(await world.say('tcp')).toBe('heard tcp hello\n');
    expect(await world.say('tcp', UI)).toBe('heard tcp hello\n');
    const [plain, secured] = authorizer.asked;
    expect(plain?.attributes?.source?.principal).toBe('');
    expect(secured?.attributes?.source?.principal).toBe(`spiffe://${UI}`);
    authorizer.allowsConnections = false;
    expect(await world.say('tcp')).toBe('');
    expect(authorizer.asked).toHaveLength(3);
  });

  test('is asked although a rule is about paths, which nobody knows there', async () => {
    authorizer.allowsConnections = false;
    expect(await world.say('paths')).toBe('');
    expect(authorizer.asked).toHaveLength(1);
  });

  test('is not asked about what no rule matches', async () => {
    authorizer.allowsConnections = false;
    expect(await world.say('elsewhere')).toBe('heard tcp hello\n');
    expect(authorizer.asked).toEqual([]);
  });

  test('comes before DENY', async () => {
    expect(await world.say('denied')).toBe('');
    expect(authorizer.asked).toHaveLength(1);
  });

  test('that is down denies, or lets pass where it fails open', async () => {
    expect(await world.say('tcpClosed')).toBe('');
    expect(await world.say('tcpOpen')).toBe('heard tcp hello\n');
  });
});
