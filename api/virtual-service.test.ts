import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { judgeVirtualService, unsupportedVirtualServiceFields } from './virtual-service.ts';

const reviews = { host: 'reviews' };
const route = [{ destination: reviews }];
const http = (rule: object): object => ({ hosts: ['reviews'], http: [{ route, ...rule }] });
const rules = (...list: object[]): object => ({ hosts: ['reviews'], http: list.map((rule) => ({ route, ...rule })) });

/** Specs as people bring them: the shapes of Istio's documentation. */
const GOOD: [name: string, yaml: string][] = [
  [
    'request routing',
    `
hosts: [reviews]
http:
- match:
  - headers: { end-user: { exact: jason } }
  route: [{ destination: { host: reviews, subset: v2 } }]
- route: [{ destination: { host: reviews, subset: v1 } }]`,
  ],
  [
    'traffic shifting',
    `
hosts: [reviews.prod.svc.cluster.local]
http:
- route:
  - { destination: { host: reviews, subset: v1 }, weight: 95 }
  - { destination: { host: reviews, subset: v3, port: { number: 9080 } }, weight: 5 }`,
  ],
  [
    'fault injection',
    `
hosts: [ratings]
http:
- fault:
    delay: { percentage: { value: 0.1 }, fixedDelay: 7s }
    abort: { percentage: { value: 100 }, grpcStatus: UNAVAILABLE }
  match: [{ headers: { end-user: { exact: jason } } }]
  route: [{ destination: { host: ratings, subset: v1 } }]
- route: [{ destination: { host: ratings, subset: v1 } }]`,
  ],
  [
    'timeouts and retries',
    `
hosts: [ratings]
http:
- route: [{ destination: { host: ratings } }]
  timeout: 10s
  retries: { attempts: 3, perTryTimeout: 2s, retryOn: 'connect-failure,refused-stream, 503', backoff: 25ms,
    retryIgnorePreviousHosts: false, retryRemoteLocalities: true }`,
  ],
  [
    'mirroring',
    `
hosts: [httpbin]
http:
- route: [{ destination: { host: httpbin, subset: v1 }, weight: 100 }]
  mirror: { host: httpbin, subset: v2 }
  mirrorPercentage: { value: 100.0 }
  match: [{ uri: { prefix: /one } }]
- route: [{ destination: { host: httpbin } }]
  mirrors: [{ destination: { host: a }, percentage: { value: 0.5 } }, { destination: { host: b } }]`,
  ],
  [
    'TCP traffic shifting',
    `
hosts: [tcp-echo]
tcp:
- match: [{ port: 31400, destinationSubnets: [10.1.0.0/16, 2001:db8::/32], sourceLabels: { app: a }, sourceNamespace: shop }]
  route:
  - { destination: { host: tcp-echo, port: { number: 9000 }, subset: v1 }, weight: 80 }
  - { destination: { host: tcp-echo, port: { number: 9000 }, subset: v2 }, weight: 20 }`,
  ],
  [
    'routing by SNI',
    `
hosts: ['*.bookinfo.com']
tls:
- match: [{ port: 443, sniHosts: [login.bookinfo.com] }]
  route: [{ destination: { host: login.prod.svc.cluster.local } }]
- match: [{ port: 443, sniHosts: ['*.eu.bookinfo.com'] }]
  route: [{ destination: { host: eu.prod.svc.cluster.local } }]`,
  ],
  [
    'rewriting, headers, CORS and an answer of its own',
    `
hosts: [ratings, 240.0.0.7]
exportTo: ['.', shop]
http:
- match:
  - { uri: { prefix: /ratings }, ignoreUriCase: true, withoutHeaders: { x-old: {} }, queryParams: { v: { regex: '[0-9]+' } } }
  rewrite: { uri: /v1/bookRatings, authority: ratings.example }
  route:
  - destination: { host: ratings }
    headers:
      request: { set: { x-peer: '%DOWNSTREAM_REMOTE_ADDRESS%', x-share: 5%% }, remove: [x-secret] }
      response: { add: { x-served: 'at %START_TIME(%s)%' } }
  corsPolicy:
    allowOrigins: [{ exact: https://shop.example }, { regex: 'https://[a-z]+[.]example' }]
    allowMethods: [POST, GET]
    allowHeaders: ['*']
    maxAge: 24h
    unmatchedPreflights: IGNORE
- match: [{ uri: { regex: '/old/(.*)' } }]
  rewrite: { uriRegexRewrite: { match: '^/old/([^/]+)', rewrite: '/new/\\\\1' } }
  route: [{ destination: { host: ratings } }]
- match: [{ uri: { exact: /gone } }]
  directResponse: { status: 410, body: { string: gone } }
- match: [{ uri: { exact: /moved } }]
  redirect: { uri: /there, scheme: https, derivePort: FROM_PROTOCOL_DEFAULT, redirectCode: 308 }
- delegate: { name: others, namespace: shop }`,
  ],
  [
    'a delegate',
    `
http:
- match: [{ uri: { prefix: /cart } }]
  route: [{ destination: { host: cart } }]`,
  ],
  [
    'fields that are null',
    `
hosts: [reviews]
gateways: null
http:
- match: null
  timeout: null
  route: [{ destination: { host: reviews, subset: null }, weight: null }]`,
  ],
  [
    'a wildcard for a gateway',
    `
hosts: ['*']
gateways: [infra/public]
http:
- route: [{ destination: { host: reviews } }]`,
  ],
];

describe('A VirtualService', () => {
  test.each(GOOD)('with %s is taken', (name, yaml) => {
    const { errors, warnings } = judgeVirtualService(parse(yaml));
    expect(errors).toEqual([]);
    expect(name.includes('gateway') ? [] : warnings).toEqual([]);
  });

  test.each<[name: string, spec: unknown, field: string, message: string]>([
    [
      'weights that sum to 110',
      http({ route: [60, 50].map((weight) => ({ destination: reviews, weight })) }),
      'spec.http[0].route',
      'sum to 110',
    ],
    [
      'a destination without weight',
      http({ route: [{ destination: reviews, weight: 100 }, { destination: reviews }] }),
      'spec.http[0].route[1].weight',
      'left out',
    ],
    [
      'a rule after the one for everything',
      rules({}, { match: [{ port: 1 }] }, {}),
      'spec.http[1]',
      'nor are the 1 after it: spec.http[0] takes everything',
    ],
    ['a rule after every path', rules({ match: [{ uri: { prefix: '/' } }] }, {}), 'spec.http[1]', 'never used'],
    [
      'a rule with the matches of another',
      rules({ match: [{ port: 1, name: 'a' }] }, { match: [{ name: 'b', port: 1 }] }),
      'spec.http[1]',
      'same matches',
    ],
    [
      'a match twice',
      rules({ match: [{ port: 1 }, { port: 1 }] }),
      'spec.http[0].match[1]',
      'same as spec.http[0].match[0]',
    ],
    [
      'a try longer than the request',
      http({ timeout: '1s', retries: { attempts: 1, perTryTimeout: '2s' } }),
      'spec.http[0].retries.perTryTimeout',
      'longer than timeout',
    ],
    [
      'a fault that never happens',
      http({ fault: { delay: { fixedDelay: '1s', percentage: { value: 0 } } } }),
      'spec.http[0].fault.delay.percentage',
      'no request',
    ],
    [
      'a deprecated percentage',
      http({ mirror: reviews, mirror_percent: 5 }),
      'spec.http[0].mirror_percent',
      'mirrorPercentage',
    ],
    [
      'deprecated origins',
      http({ corsPolicy: { allowOrigin: ['a'] } }),
      'spec.http[0].corsPolicy.allowOrigin',
      'allowOrigins',
    ],
    ['a gateway', { ...http({}), gateways: ['mesh', 'infra/public'] }, 'spec.gateways[1]', 'not in force'],
    [
      'a match for a gateway',
      http({ match: [{ gateways: ['infra/public'] }] }),
      'spec.http[0].match[0].gateways[0]',
      'not in force',
    ],
  ])('with %s is taken with a warning', (_, spec, field, message) => {
    const { errors, warnings } = judgeVirtualService(spec);
    expect(errors).toEqual([]);
    expect(warnings).toContainEqual({ field, message: expect.stringContaining(message) });
  });

  test('is read without the fields that are null, and not at all in another shape', () => {
    const route = [{ destination: { host: 'a' } }];
    const spec = { hosts: ['a'], http: [{ route }] };
    expect(judgeVirtualService({ ...spec, http: [{ route, timeout: null }], tcp: null }).spec).toEqual(spec);
    expect(judgeVirtualService({ hosts: 'a' }).spec).toBeUndefined();
  });

  test('for sidecars alone is in force as a whole', () => {
    expect(
      unsupportedVirtualServiceFields({
        hosts: ['a'],
        gateways: ['mesh'],
        http: [{ match: [{ gateways: ['mesh'] }] }],
      }),
    ).toEqual([]);
  });

  test('with 5,000 rules is judged whole', () => {
    const many = Array.from({ length: 5000 }, (_, index) => ({
      match: [{ uri: { regex: `/orders/${index}/[^/]+` }, headers: { 'x-shard': { exact: `${index}` } } }],
      route: [{ destination: { host: 'orders', subset: `s${index}` } }],
    }));
    const spec = { hosts: Array.from({ length: 500 }, (_, index) => `a${index}.shop.example`), http: many };
    expect(judgeVirtualService(spec)).toMatchObject({ errors: [], warnings: [] });
    const wrong = [...many, { route: [{ destination: { host: '' } }] }];
    const [error] = judgeVirtualService({ ...spec, http: wrong }).errors;
    expect(error?.field).toBe('spec.http[5000].route[0].destination.host');
  });

  test('nested without end is refused and not followed', () => {
    let deep: unknown = {};
    for (let level = 0; level < 100_000; level++) deep = { http: [deep], hosts: deep };
    expect(judgeVirtualService(deep).errors).not.toEqual([]);
  });
});
