import type { AuthorizationPolicy } from '../../../api/authorization-policy.ts';
import { judgeAuthorizationPolicy } from '../../../api/authorization-policy-judgement.ts';
import type { DestinationRuleSpec } from '../../../api/destination-rule.ts';
import type { HttpMatch } from '../../../api/http-match.ts';
import { judgeVirtualService, type VirtualServiceSpec } from '../../../api/virtual-service.ts';
import type { HttpRequest } from '../../../cli/explain/request.ts';
import type { MeshObject } from '../../../operator/mesh/mesh-object.ts';
import {
  destinationRule,
  peerAuthentication,
  requestAuthentication,
  virtualService,
} from '../../../operator/mesh/testing/objects.ts';
import type { Draw } from '../../../operator/xds/testing/draw.ts';
import { HEADER_VALUES, HEADERS, METHODS, PATHS } from './authorization-vocabulary.ts';
import { SERVICES } from './explained-shop.ts';
import { randomPolicy } from './random-authorization.ts';
import type { TestIssuer } from './test-tokens.ts';

/** A mesh at random around the shop: routes, traffic policies, and who may call. All of it is valid. */

const HOSTS = [...SERVICES.map(({ name }) => name), 'front'];
const NAMESPACES = ['shop', 'shop', 'shop-2'];
const QUERIES = ['', '', '', '?a=1', '?a=2&b=x', '?b', '?a=%31', '?A=1'];
const DOT_PATHS = [
  '/a/../admin',
  '/./a',
  '/a/%2e%2e/admin',
  '/%61/b',
  '/a//b',
  '/x/..;/admin',
  '/x/%2e%2e;/admin',
  '/a\\b',
  '/admin/%2E',
];
const ABOUTS = [
  {},
  { selector: { matchLabels: { app: 'ordering' } } },
  { selector: { matchLabels: { app: 'inventory' } } },
  { selector: { matchLabels: { app: 'ordering', version: 'v2' } } },
  { targetRefs: [{ kind: 'Service', name: 'ordering' }] },
  { targetRefs: [{ kind: 'Service', name: 'stock' }] },
];

/** @param ports of pods, for policies to name */
export function randomShop(draw: Draw, ports: readonly number[], issuer: TestIssuer): MeshObject[] {
  const routes = draw.list(1, 4, () => 0).map((_, index) => randomRoutes(draw, index));
  const policies = draw.list(0, 5, () => 0).map((_, index) => randomAuthorization(draw, index, ports));
  return [
    ...routes.map((object): MeshObject => ({ kind: 'VirtualService', object })),
    ...randomDestinations(draw),
    ...draw.list(0, 2, () => 0).map((_, index) => randomPeers(draw, index)),
    ...policies.map((object): MeshObject => ({ kind: 'AuthorizationPolicy', object })),
    ...(draw.once(2) ? [tokens(draw, issuer)] : []),
  ];
}

function randomRoutes(draw: Draw, index: number) {
  const namespace = draw.one(NAMESPACES);
  for (;;) {
    const spec: VirtualServiceSpec = {
      hosts: [
        draw.one([
          ...HOSTS.map((host) => `${host}.shop.svc.cluster.local`),
          '*.shop.svc.cluster.local',
          'a.example.com',
        ]),
      ],
      ...(draw.once(4) && { exportTo: [draw.one(['.', '*', 'shop'])] }),
      http: draw.list(1, 3, () => randomRule(draw)),
    };
    if (judgeVirtualService(spec).spec !== undefined)
      return virtualService(`${namespace}/routes-${index}`, spec, `2026-01-0${index + 1}T00:00:00Z`);
  }
}

type Route = NonNullable<VirtualServiceSpec['http']>[number];

function randomRule(draw: Draw): Route {
  const match = draw.list(0, 2, () => randomMatch(draw));
  const faulty = draw.once(5)
    ? { fault: { abort: { httpStatus: draw.one([418, 503]), percentage: { value: draw.one([100, 50]) } } } }
    : {};
  const cors = draw.once(6) ? { corsPolicy: { allowOrigins: [{ exact: 'https://shop.example' }] } } : {};
  const base = { ...(match.length > 0 && { match }), ...faulty, ...cors };
  if (draw.once(8)) return { ...base, redirect: { uri: '/moved', redirectCode: draw.one([301, 307]) } };
  if (draw.once(8)) return { ...base, directResponse: { status: draw.one([200, 404]), body: { string: 'direct' } } };
  const to = draw.list(1, 2, () => ({
    destination: {
      host: `${draw.one([...HOSTS, 'ordering', 'ordering', 'ghost'])}.shop.svc.cluster.local`,
      ...(draw.once(2) && { subset: draw.one(['v1', 'v2', 'v3']) }),
    },
    ...(draw.once(4) && { headers: { request: { set: { 'x-role': 'admin' } } } }),
  }));
  const route = to.map((one) => ({ ...one, ...(to.length > 1 && { weight: draw.one([0, 20, 80]) + 1 }) }));
  const rewrite = draw.one([
    undefined,
    undefined,
    { uri: '/admin' },
    { uri: '/' },
    { authority: 'api.shop.example' },
    { uriRegexRewrite: { match: '^/([^/]+)/(.*)$', rewrite: '/\\2/\\1' } },
  ]);
  const headers = draw.one([
    undefined,
    undefined,
    { request: { set: { 'x-team': 'ann' } } },
    { request: { remove: ['x-team'] } },
    { request: { add: { 'x-team': 'bob' } } },
  ]);
  return { ...base, route, ...(rewrite && { rewrite }), ...(headers && { headers }) };
}

function randomMatch(draw: Draw): HttpMatch {
  const text = (values: readonly string[]) => {
    const value = draw.one(values);
    return draw.one([
      { exact: value },
      { prefix: value.slice(0, 1 + draw.below(value.length)) },
      { regex: `${value.slice(0, 2).replace(/[^a-z/]/gi, '.')}.*` },
    ]);
  };
  const name = draw.one(['x-team', 'x-role', 'cookie']);
  const fields: readonly (() => HttpMatch)[] = [
    () => ({ uri: text(PATHS), ...(draw.once(3) && { ignoreUriCase: true }) }),
    () => ({ uri: { prefix: draw.one(['/', '/a', '/api']) } }),
    () => ({ method: text(METHODS) }),
    () => ({ headers: { [name]: draw.one([text(HEADER_VALUES), {}]) } }),
    () => ({ withoutHeaders: { [name]: draw.one([text(HEADER_VALUES), {}]) } }),
    () => ({ queryParams: { a: draw.one([{ exact: '1' }, { regex: '[0-9]+' }, {}]) } }),
    () => ({ authority: text(['ordering', 'ordering.shop', 'stock.shop.svc.cluster.local']) }),
    () => ({ sourceLabels: { app: draw.one(['ui', 'batch']) } }),
    () => ({ sourceNamespace: draw.one(['shop', 'shop-2']) }),
    () => ({ port: draw.one([80, 81]) }),
    () => ({ scheme: { exact: draw.one(['http', 'https']) } }),
  ];
  return Object.assign({}, ...draw.list(1, 2, () => draw.one(fields)()));
}

function randomDestinations(draw: Draw): MeshObject[] {
  const subsets = ['v1', 'v2'].map((version) => ({ name: version, labels: { version } }));
  const tls = draw.one([
    undefined,
    undefined,
    undefined,
    { mode: 'DISABLE' as const },
    { mode: 'ISTIO_MUTUAL' as const },
  ]);
  const spec: DestinationRuleSpec = {
    host: 'ordering.shop.svc.cluster.local',
    subsets,
    ...(tls && { trafficPolicy: { tls } }),
    ...(draw.once(4) && { exportTo: ['.'] }),
  };
  const other: DestinationRuleSpec = { host: draw.one(['legacy', 'stock']), subsets: subsets.slice(0, 1) };
  return [
    ...(draw.once(5) ? [] : [{ kind: 'DestinationRule' as const, object: destinationRule('shop/ordering', spec) }]),
    ...(draw.once(2) ? [{ kind: 'DestinationRule' as const, object: destinationRule('shop/other', other) }] : []),
  ];
}

function randomPeers(draw: Draw, index: number): MeshObject {
  const key = draw.one(['heddle-system/default', 'shop/default', `shop/peers-${index}`]);
  const mode = draw.one(['STRICT', 'PERMISSIVE', 'DISABLE'] as const);
  const selector = key.startsWith('shop/peers')
    ? { selector: { matchLabels: { app: draw.one(['ordering', 'inventory']) } } }
    : {};
  return { kind: 'PeerAuthentication', object: peerAuthentication(key, { ...selector, mtls: { mode } }) };
}

/** Conditions on the address that a call is made to are left out: on loopback it is another one than the pod's. */
function randomAuthorization(draw: Draw, index: number, ports: readonly number[]): AuthorizationPolicy {
  for (;;) {
    const about = draw.one(ABOUTS);
    const namespace = Object.keys(about).length === 0 && draw.once(3) ? 'heddle-system' : 'shop';
    const policy = randomPolicy(draw, `policy-${index}`, about, ports, namespace);
    if (JSON.stringify(policy).match(/destination\.ip|connection\.sni/)) continue;
    if (judgeAuthorizationPolicy(policy.spec).spec !== undefined) return policy;
  }
}

function tokens(draw: Draw, { jwk }: TestIssuer): MeshObject {
  const rule = {
    issuer: 'https://id.example',
    jwks: JSON.stringify({ keys: [jwk] }),
    ...(draw.once(2) && { audiences: ['shop'] }),
  };
  const about = draw.one([{}, { selector: { matchLabels: { app: 'ordering' } } }]);
  return {
    kind: 'RequestAuthentication',
    object: requestAuthentication('shop/tokens', { ...about, jwtRules: [rule] }),
  };
}

/** A request of a kind that these rules and policies tell apart. */
export function randomRequest(draw: Draw, issuer: TestIssuer): HttpRequest {
  const host = draw.once(25) ? 'nobody' : draw.one([...HOSTS, 'ordering']);
  const authority = draw.once(25)
    ? draw.one(['a.example.com', 'shop.example'])
    : `${host}${draw.one(['', '.shop', '.shop', '.shop.svc', '.shop.svc.cluster.local', '.shop:80', '.shop'])}`;
  const headers = draw
    .list(0, 2, () => draw.one(HEADERS.filter((name) => name !== 'x_under')))
    .map(
      (name) =>
        [
          name,
          draw.one(HEADER_VALUES.filter((value) => name !== 'authorization' || !value.startsWith('Bearer'))),
        ] as const,
    );
  const preflight = draw.once(15);
  const bearer = () => ['authorization', `Bearer ${randomToken(draw, issuer)}`] as const;
  const token = draw.once(5) ? draw.list(1, draw.once(4) ? 2 : 1, bearer) : [];
  return {
    method: preflight ? 'OPTIONS' : draw.one(METHODS.filter((method) => method !== 'HEAD')),
    scheme: 'http',
    authority,
    path: `${draw.one([...PATHS, ...DOT_PATHS])}${draw.one(QUERIES)}`,
    headers: [
      ...headers.filter(([name]) => token.length === 0 || name !== 'authorization'),
      ...token,
      ...(preflight
        ? ([
            ['origin', draw.one(['https://shop.example', 'https://evil.example'])],
            ['access-control-request-method', 'GET'],
          ] as const)
        : []),
    ],
  };
}

function randomToken(draw: Draw, issuer: TestIssuer): string {
  return draw.one([
    () => issuer.token(),
    () => issuer.token({ iss: 'issuer.example' }),
    () => issuer.token({ aud: 'other' }),
    () => issuer.token({ exp: 1 }),
    () => issuer.token({ group: { name: 'ann' } }),
    () => `${issuer.token().slice(0, -8)}AAAAAAAA`,
    () => 'x.y.z',
  ])();
}
