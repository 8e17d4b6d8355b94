import { expect, test } from '@jest/globals';
import { authorizationPolicy, virtualService } from '../../operator/mesh/testing/objects.ts';
import { reportJson } from './report.ts';
import { ask, shop } from './testing/shop.ts';
import { formatReport } from './words.ts';

const MESH = shop([
  {
    kind: 'VirtualService',
    object: virtualService('shop/routes', {
      hosts: ['ordering'],
      http: [
        {
          name: 'beta',
          match: [{ headers: { 'x-user': { exact: 'ann' } } }],
          route: [{ destination: { host: 'ordering', subset: 'v2' } }],
        },
        { name: 'rest', route: [{ destination: { host: 'ordering', subset: 'v1' } }], timeout: '5s' },
      ],
    }),
  },
  {
    kind: 'AuthorizationPolicy',
    object: authorizationPolicy('shop/only-post', { rules: [{ to: [{ operation: { methods: ['POST'] } }] }] }),
  },
]);

function report(method: string) {
  return {
    from: { pod: 'shop/ui-1', identity: 'cluster.local/ns/shop/sa/ui' },
    to: { text: `${method} http://ordering/`, host: 'ordering', port: 80 },
    explanation: ask(MESH, { method }),
    live: [{ ok: false, text: 'the sidecar is old' }],
    notes: ['a note'],
  };
}

test('a refusal in words says by whom, why, and which way it went', () => {
  expect(formatReport(report('GET'))).toBe(`shop/ui-1 → GET http://ordering/
REFUSED: the server's sidecar answers 403: no rule of the ALLOW policies there are matches (shop/only-post)

caller     pod shop/ui-1, identity cluster.local/ns/shop/sa/ui
called     ordering:80 (ordering.shop.svc.cluster.local), as HTTP
route      VirtualService shop/routes, rule rest
           timeout 5000 ms
           retries by the mesh's default: 2, where the application was not reached
before it  beta does not match: there is no header x-user
goes to    100% ordering.shop.svc.cluster.local:80, subset v1: the server's sidecar answers 403: no rule of the ALLOW policies there are matches (shop/only-post)
                1 endpoint: shop/ordering-v1 10.0.1.1:8080
                hop: mutual TLS; the server takes PERMISSIVE by default
                authorization: AuthorizationPolicy shop/only-post (ALLOW) does not match
                  rule 0: method is GET, wanted POST
note       a note
live       ! the sidecar is old`);
});

test('what passes is told so', () => {
  const text = formatReport(report('POST'));
  expect(text).toMatch(/^shop\/ui-1 → POST http:\/\/ordering\/\nPASSES\n/);
  expect(text).toContain('authorization: rule 0 of AuthorizationPolicy shop/only-post (ALLOW) matches');
});

test('for programs it is all there', () => {
  expect(reportJson(report('GET'))).toMatchObject({
    verdict: 'refused',
    to: { host: 'ordering', port: 80, protocol: 'http', service: 'ordering.shop.svc.cluster.local' },
    route: { object: { name: 'routes' }, rule: 'rest', timeoutMs: 5000, shares: [{ percent: 100, subset: 'v1' }] },
    outcomes: [{ end: 'refused', status: 403 }],
    live: [{ ok: false }],
    notes: ['a note'],
  });
});
