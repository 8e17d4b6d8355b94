import { describe, expect, test } from '@jest/globals';
import type { VirtualServiceSpec } from '../../api/virtual-service.ts';
import type { MeshObject } from '../../operator/mesh/mesh-object.ts';
import {
  authorizationPolicy,
  canary,
  destinationRule,
  peerAuthentication,
  rateLimitPolicy,
  requestAuthentication,
  service,
  virtualService,
} from '../../operator/mesh/testing/objects.ts';
import { testIssuer } from '../../test/feature/support/test-tokens.ts';
import { ask, shop } from './testing/shop.ts';

const routes = (...http: NonNullable<VirtualServiceSpec['http']>): MeshObject => ({
  kind: 'VirtualService',
  object: virtualService('shop/routes', { hosts: ['ordering'], http }),
});
const to = (subset?: string, weight?: number) => ({
  destination: { host: 'ordering', ...(subset && { subset }) },
  ...(weight !== undefined && { weight }),
});
const strict: MeshObject = {
  kind: 'PeerAuthentication',
  object: peerAuthentication('shop/strict', { mtls: { mode: 'STRICT' } }),
};

test('without anything in its way a request reaches all pods, by mutual TLS', () => {
  const { verdict, outcomes, service, choice } = ask(shop());
  expect(verdict).toBe('passes');
  expect(service?.hostname).toBe('ordering.shop.svc.cluster.local');
  expect(choice?.object).toBeUndefined();
  expect(outcomes).toMatchObject([
    {
      percent: 100,
      end: 'application',
      backend: {
        security: 'mtls',
        endpoints: ['shop/ordering-v1 10.0.1.1:8080', 'shop/ordering-v2 10.0.1.2:8080'],
        server: { mode: 'PERMISSIVE' },
      },
    },
  ]);
});

describe('routes', () => {
  test('the first rule that matches decides, and why others do not is told', () => {
    const mesh = shop([
      routes(
        { name: 'beta', match: [{ headers: { 'x-user': { exact: 'ann' } } }], route: [to('v2')] },
        { name: 'rest', route: [to('v1', 80), to('v2', 20)], timeout: '5s' },
      ),
    ]);
    const { choice, passed, outcomes } = ask(mesh);
    expect(choice).toMatchObject({ object: { name: 'routes' }, name: 'rest', rule: { timeoutMs: 5000 } });
    expect(passed).toMatchObject([{ rule: 'beta', mismatches: ['there is no header x-user'] }]);
    expect(outcomes.map(({ percent, backend }) => [percent, backend?.subset])).toEqual([
      [80, 'v1'],
      [20, 'v2'],
    ]);
    expect(ask(mesh, { headers: [['X-User', 'ann']] }).choice?.name).toBe('beta');
    expect(ask(mesh, { headers: [['x-user', 'bob']] }).passed[0]?.mismatches).toEqual([
      'header x-user is "bob", and not one that is exactly "ann"',
    ]);
  });

  test.each<[string, NonNullable<VirtualServiceSpec['http']>[number], object]>([
    [
      'a fault',
      { fault: { abort: { httpStatus: 418, percentage: { value: 100 } } }, route: [to()] },
      { end: 'answered', status: 418, reason: 'fault', at: 'client' },
    ],
    ['a redirect', { redirect: { uri: '/new' } }, { end: 'answered', status: 301, reason: 'redirect' }],
    ['an answer', { directResponse: { status: 410 } }, { end: 'answered', status: 410, reason: 'direct-response' }],
    ['a subset that is not there', { route: [to('v9')] }, { end: 'refused', status: 503, reason: 'no-destination' }],
    [
      'a match of none',
      { match: [{ uri: { exact: '/x' } }], route: [to()] },
      { end: 'refused', status: 404, reason: 'no-route' },
    ],
  ])('%s ends it at the caller', (_, rule, outcome) => {
    const { outcomes } = ask(shop([routes(rule)]));
    expect(outcomes).toMatchObject([{ percent: 100, at: 'client', object: { name: 'routes' }, ...outcome }]);
  });

  test('of some requests a fault makes a part', () => {
    const rule = { fault: { abort: { httpStatus: 500, percentage: { value: 25 } } }, route: [to()] };
    const { verdict, outcomes } = ask(shop([routes(rule)]));
    expect(verdict).toBe('in part');
    expect(outcomes.map(({ percent, end }) => [percent, end])).toEqual([
      [25, 'answered'],
      [75, 'application'],
    ]);
  });

  test('the server decides by what a route makes of a request', () => {
    const deny = authorizationPolicy('shop/no-admin', {
      action: 'DENY',
      rules: [{ to: [{ operation: { paths: ['/admin*'] } }] }],
    });
    const rewritten = routes({ match: [{ uri: { prefix: '/x' } }], rewrite: { uri: '/admin' }, route: [to()] });
    const mesh = shop([rewritten, { kind: 'AuthorizationPolicy', object: deny }]);
    expect(ask(mesh, { path: '/x/1' }).outcomes).toMatchObject([
      { end: 'refused', status: 403, object: { name: 'no-admin' } },
    ]);
    expect(ask(mesh, { path: '/admin' }).outcomes).toMatchObject([{ reason: 'no-route' }]);
  });

  test('a Canary sends its share to the new revision', () => {
    const release = canary('ordering', 'ordering', { stableRevision: 'v1', canaryRevision: 'v2', weight: 10 });
    const { outcomes } = ask(shop([{ kind: 'Canary', object: release }]));
    expect(outcomes.map(({ percent, backend }) => [percent, backend?.revision])).toEqual([
      [90, 'v1'],
      [10, 'v2'],
    ]);
  });
});

describe('who decides at the server', () => {
  test('an ALLOW that does not match is named with what was wanted', () => {
    const allow = authorizationPolicy('shop/only-cart', {
      rules: [{ to: [{ operation: { methods: ['POST'], paths: ['/cart'] } }] }],
    });
    const { outcomes, verdict } = ask(shop([{ kind: 'AuthorizationPolicy', object: allow }]), { path: '/cart' });
    expect(verdict).toBe('refused');
    expect(outcomes).toMatchObject([
      {
        status: 403,
        at: 'server',
        object: { name: 'only-cart' },
        backend: { server: { authorization: { unmatched: [{ mismatches: ['method is GET, wanted POST'] }] } } },
      },
    ]);
  });

  test('of pods with other policies each has its own outcome', () => {
    const deny = authorizationPolicy('shop/v2', {
      selector: { matchLabels: { version: 'v2' } },
      action: 'DENY',
      rules: [{}],
    });
    const { outcomes, verdict } = ask(shop([{ kind: 'AuthorizationPolicy', object: deny }]));
    expect(verdict).toBe('in part');
    expect(outcomes.map(({ percent, end }) => [percent, end])).toEqual([
      [50, 'application'],
      [50, 'refused'],
    ]);
  });

  test('a provider that exists has the last word, one that does not denies', () => {
    const ask2 = authorizationPolicy('shop/ask', { action: 'CUSTOM', provider: { name: 'opa' }, rules: [{}] });
    const object: MeshObject = { kind: 'AuthorizationPolicy', object: ask2 };
    const opa = { name: 'opa', envoyExtAuthzHttp: { service: 'legacy.shop.svc.cluster.local', port: 80 } } as never;
    expect(ask(shop([object], { extensionProviders: [opa] }))).toMatchObject({
      verdict: 'unknown',
      outcomes: [{ end: 'asked' }],
    });
    expect(ask(shop([object]))).toMatchObject({
      verdict: 'refused',
      outcomes: [{ status: 403, object: { name: 'ask' } }],
    });
  });

  test('a policy in dry run is told, and decides nothing', () => {
    const deny = authorizationPolicy('shop/try', { action: 'DENY', rules: [{}] }, { 'istio.io/dry-run': 'true' });
    const { verdict, outcomes } = ask(shop([{ kind: 'AuthorizationPolicy', object: deny }]));
    expect(verdict).toBe('passes');
    expect(outcomes).toMatchObject([
      { backend: { server: { authorization: { dryRun: [{ policy: { name: 'try' } }] } } } },
    ]);
  });

  test('a token must be valid, and policies see its claims', () => {
    const issuer = testIssuer('ES256', 'a');
    const jwtRules = [
      { issuer: 'https://id.example', jwks: JSON.stringify({ keys: [issuer.jwk] }), audiences: ['shop'] },
    ];
    const need = authorizationPolicy('shop/need', {
      rules: [{ from: [{ source: { requestPrincipals: ['https://id.example/*'] } }] }],
    });
    const mesh = shop([
      { kind: 'RequestAuthentication', object: requestAuthentication('shop/tokens', { jwtRules }) },
      { kind: 'AuthorizationPolicy', object: need },
    ]);
    const bearer = (token: string) => ask(mesh, { headers: [['authorization', `Bearer ${token}`]] });
    expect(bearer(issuer.token()).verdict).toBe('passes');
    expect(ask(mesh).outcomes).toMatchObject([{ status: 403, object: { name: 'need' } }]);
    expect(bearer(issuer.token({ exp: 1 })).outcomes).toMatchObject([
      {
        status: 401,
        reason: 'token',
        object: { name: 'tokens' },
        message: 'the token in the header authorization is not valid: it has expired',
      },
    ]);
    expect(bearer(issuer.token({ aud: 'x' })).outcomes).toMatchObject([{ status: 403, reason: 'token' }]);
    expect(bearer(testIssuer('ES256', 'a').token()).outcomes).toMatchObject([
      { status: 401, message: expect.stringContaining('no key of the issuer has signed it') },
    ]);
  });

  test('limits that may count it are named', () => {
    const limit = rateLimitPolicy('shop/limits', { limits: [{ requests: 5, unit: 'Second' }] });
    const { outcomes } = ask(shop([{ kind: 'RateLimitPolicy', object: limit }]));
    expect(outcomes).toMatchObject([{ backend: { server: { rateLimits: [{ name: 'limits' }] } } }]);
  });
});

describe('how peers talk', () => {
  test('STRICT refuses who has no sidecar, and takes who has one', () => {
    const mesh = shop([strict]);
    expect(ask(mesh).verdict).toBe('passes');
    const stranger = ask(mesh, { plain: true });
    expect(stranger).toMatchObject({ verdict: 'refused', outcomes: [{ reason: 'mtls', object: { name: 'strict' } }] });
    expect(stranger.outcomes[0]?.status).toBeUndefined();
    expect(ask(shop(), { plain: true }).verdict).toBe('passes');
  });

  test.each([
    ['DISABLE', 'STRICT', 'refused', 503],
    ['ISTIO_MUTUAL', 'DISABLE', 'refused', 503],
    ['ISTIO_MUTUAL', 'STRICT', 'passes', undefined],
    ['DISABLE', 'DISABLE', 'passes', undefined],
  ] as const)('a DestinationRule of %s towards %s: %s', (tls, mode, verdict, status) => {
    const rule = destinationRule('shop/tls', { host: 'ordering', trafficPolicy: { tls: { mode: tls } } });
    const peers = peerAuthentication('shop/peers', { mtls: { mode } });
    const explained = ask(
      shop([
        { kind: 'DestinationRule', object: rule },
        { kind: 'PeerAuthentication', object: peers },
      ]),
    );
    expect([explained.verdict, explained.outcomes[0]?.status]).toEqual([verdict, status]);
  });

  test('an endpoint without a sidecar is called in plaintext', () => {
    expect(ask(shop(), { host: 'legacy' }).outcomes).toMatchObject([
      { end: 'application', backend: { security: 'plaintext' } },
    ]);
  });
});

test('routes are not for names of single pods', () => {
  const pods = service('db', { app: 'ordering' }, { clusterIP: 'None', ports: [{ name: 'http', port: 8080 }] });
  const own = virtualService('shop/db', { hosts: ['db'], http: [{ directResponse: { status: 410 } }] });
  const mesh = shop([
    { kind: 'Service', object: pods },
    { kind: 'VirtualService', object: own },
  ]);
  expect(ask(mesh, { host: 'db.shop', port: 8080 }).outcomes).toMatchObject([{ status: 410 }]);
  expect(ask(mesh, { host: 'ordering-v1.db.shop', port: 8080 }).choice?.object).toBeUndefined();
});

describe('hosts that nobody knows', () => {
  test('pass, or do not, as the mesh has it', () => {
    expect(ask(shop(), { host: 'example.com' })).toMatchObject({ verdict: 'passes', outcomes: [{ end: 'outside' }] });
    const only = shop([], { outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' } });
    expect(ask(only, { host: 'example.com' }).outcomes).toMatchObject([{ status: 502, reason: 'unknown-host' }]);
    expect(ask(only, { host: 'example.com', port: 5432, tcp: true }).outcomes).toMatchObject([
      { end: 'refused', reason: 'unknown-host' },
    ]);
  });
});

describe('connections of opaque bytes', () => {
  const port = { port: 90, tcp: true };

  test('go to all pods, or where a rule of TCP leads', () => {
    expect(ask(shop(), port)).toMatchObject({ protocol: 'tcp', verdict: 'passes' });
    const spec = { hosts: ['ordering'], tcp: [{ route: [to('v1', 70), to('v9', 30)] }] };
    const { outcomes, verdict } = ask(
      shop([{ kind: 'VirtualService', object: virtualService('shop/tcp', spec) }]),
      port,
    );
    expect(verdict).toBe('in part');
    expect(outcomes.map(({ percent, end }) => [percent, end])).toEqual([
      [70, 'application'],
      [30, 'refused'],
    ]);
  });

  test('no rule about requests allows them, and each denies them', () => {
    const rules = [{ to: [{ operation: { methods: ['GET'] } }] }];
    const of = (action: 'ALLOW' | 'DENY') =>
      shop([{ kind: 'AuthorizationPolicy', object: authorizationPolicy('shop/p', { action, rules }) }]);
    expect(ask(of('ALLOW'), port)).toMatchObject({ verdict: 'refused', outcomes: [{ reason: 'authorization' }] });
    expect(ask(of('DENY'), port).verdict).toBe('refused');
  });

  test('a request to a port of TCP is bytes, and that is told', () => {
    const { protocol, notes } = ask(shop(), { port: 90 });
    expect(protocol).toBe('tcp');
    expect(notes).toEqual(['port 90 is declared to be tcp: nothing looks at the HTTP in it']);
  });
});
