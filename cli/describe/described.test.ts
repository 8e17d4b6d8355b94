import { expect, test } from '@jest/globals';
import type { V1Pod, V1Service } from '@kubernetes/client-node';
import {
  authorizationPolicy,
  canary,
  peerAuthentication,
  rateLimitPolicy,
  sidecar,
  virtualService,
} from '../../operator/mesh/testing/objects.ts';
import { SHOP, shop } from '../explain/testing/shop.ts';
import { describePod } from './described-pod.ts';
import { describeService } from './described-service.ts';
import { protocolWords } from './port-words.ts';
import { formatPod, formatService } from './words.ts';

const MESH = shop([
  { kind: 'PeerAuthentication', object: peerAuthentication('shop/strict', { mtls: { mode: 'STRICT' } }) },
  {
    kind: 'AuthorizationPolicy',
    object: authorizationPolicy('shop/v2', {
      selector: { matchLabels: { version: 'v2' } },
      action: 'DENY',
      rules: [{}],
    }),
  },
  {
    kind: 'RateLimitPolicy',
    object: rateLimitPolicy('shop/limits', {
      selector: { matchLabels: { app: 'ordering' } },
      limits: [{ requests: 5, unit: 'Second' }],
    }),
  },
  {
    kind: 'VirtualService',
    object: virtualService('shop/routes', {
      hosts: ['ordering'],
      exportTo: ['.'],
      http: [{ route: [{ destination: { host: 'ordering' } }] }],
    }),
  },
  {
    kind: 'Canary',
    object: canary('ordering', 'ordering', { stableRevision: 'v1', canaryRevision: 'v2', weight: 10 }),
  },
  {
    kind: 'Sidecar',
    object: sidecar('shop/ui', { workloadSelector: { labels: { app: 'ui' } }, egress: [{ hosts: ['./*'] }] }),
  },
]);
const REST = { messages: [], live: [], notes: [] };
const NAMESPACE = { name: 'shop', labels: { 'heddle.dev/injection': 'enabled' }, istioInstalled: false };

function podOf(name: string): V1Pod {
  return SHOP.find(({ kind, object }) => kind === 'Pod' && object.metadata?.name === name)?.object as V1Pod;
}

test.each([
  [{ name: 'http', port: 80 }, 'http, by its name "http"'],
  [{ name: 'web', port: 80 }, 'detected on each connection: neither appProtocol nor its name says what it is'],
  [{ name: 'web', port: 81, appProtocol: 'grpc' }, 'grpc, by appProtocol "grpc"'],
  [{ name: 'db', port: 3306 }, 'tcp, by its number, at which servers speak first'],
  [{ name: 'dns', port: 53, protocol: 'UDP' }, 'UDP: it does not pass the mesh'],
])('%j is %s', (port, words) => {
  expect(protocolWords(port)).toBe(words);
});

test('a Service in words', () => {
  const service = MESH.services.get('ordering.shop.svc.cluster.local');
  const written = SHOP.find(({ kind, object }) => kind === 'Service' && object.metadata?.name === 'ordering')
    ?.object as V1Service;
  if (service === undefined) throw new Error('there is an Ordering');
  expect(
    formatService({ described: describeService(MESH, service, written), ...REST }),
  ).toBe(`service shop/ordering (ordering.shop.svc.cluster.local, ClusterIP)
  ports      80 http → 8080: http, by its name "http"
             90 tcp → 9000: tcp, by its name "tcp"
  endpoints  2 ready; by revision: v1 1, v2 1
  seen by    all namespaces
  pods       ordering-v1
  mTLS       STRICT
             by PeerAuthentication shop/strict
  may call   everybody: no AuthorizationPolicy is about it
  limits     RateLimitPolicy shop/limits: 5 per Second (Local)
  pods       ordering-v2
  mTLS       STRICT
             by PeerAuthentication shop/strict
  may call   AuthorizationPolicy shop/v2: DENY, 1 rule
  limits     RateLimitPolicy shop/limits: 5 per Second (Local)
  routes     VirtualService shop/routes: 1 rule of HTTP, for namespaces shop (exportTo)
  to it      DestinationRule shop/ordering: subset v1 (1 pod); subset v2 (1 pod), for all namespaces
  canary     Canary shop/ordering: 90% to revision v1, 10% to v2
  wrong      nothing that can be seen from here`);
});

test('a pod in words', () => {
  const described = describePod(MESH, podOf('ordering-v2'), NAMESPACE);
  const text = formatPod({ described, ...REST });
  expect(text).toContain('ports      8080: http, mutual TLS STRICT, of ordering.shop.svc.cluster.local');
  expect(text).toContain('may call   AuthorizationPolicy shop/v2: DENY, 1 rule');
  expect(text).toContain('calls      it may call all services that are exported to it; other hosts pass (ALLOW_ANY)');
  expect(formatPod({ described: describePod(MESH, podOf('ui-1'), NAMESPACE), ...REST })).toContain(
    'calls      Sidecar shop/ui: shop/*; other hosts pass (ALLOW_ANY)',
  );
});

test.each([
  [NAMESPACE, 'it was made before its namespace had sidecars, or while the webhook was away: restart the workload'],
  [{ ...NAMESPACE, labels: {} }, 'namespace shop has no label heddle.dev/injection=enabled'],
])('a pod without a sidecar is told why', (namespace, why) => {
  expect(describePod(MESH, podOf('job-1'), namespace)).toMatchObject({ withoutSidecar: why, services: [] });
});
