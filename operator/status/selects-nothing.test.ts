import { expect, test } from '@jest/globals';
import { MeshBuilder } from '../mesh/mesh-builder.ts';
import { keyOf, type MeshChange, type MeshObject } from '../mesh/mesh-object.ts';
import { objectKey } from '../mesh/object-ref.ts';
import {
  authorizationPolicy,
  destinationRule,
  peerAuthentication,
  pod,
  rateLimitPolicy,
  requestAuthentication,
  SETTINGS,
  service,
  serviceEntry,
  sidecar,
  virtualService,
  workloadEntry,
} from '../mesh/testing/objects.ts';
import { buildConditions } from './conditions.ts';
import { NO_ENFORCEMENT } from './enforcement.ts';

const nobody = { app: 'nobody' };
const selector = { matchLabels: nobody };
const targetRefs = [{ kind: 'Service', name: 'gone' }];
const limits = [{ requests: 1, unit: 'Hour' as const }];
const route = [{ destination: { host: 'gone.example' } }];
const ports = [{ number: 80, name: 'http', protocol: 'HTTP' }];
const NO_POD = 'True SelectsNothing: It is valid, but selects no injected pod at present.';
const NO_SERVICE = `${NO_POD} spec.targetRefs: there is no Service shop/gone; it is about nothing there.`;
const KEY = 'shop/p';

/** One of each kind that is about nothing, what it says, and what comes for it to be about, where that is a pod. */
const CASES: [string, MeshObject, string][] = [
  [
    'by labels',
    { kind: 'PeerAuthentication', object: peerAuthentication(KEY, { selector, mtls: { mode: 'STRICT' } }) },
    NO_POD,
  ],
  ['by labels', { kind: 'AuthorizationPolicy', object: authorizationPolicy(KEY, { selector }) }, NO_POD],
  [
    'by labels',
    { kind: 'RequestAuthentication', object: requestAuthentication(KEY, { selector, jwtRules: [] }) },
    NO_POD,
  ],
  ['by labels', { kind: 'RateLimitPolicy', object: rateLimitPolicy(KEY, { selector, limits }) }, NO_POD],
  ['by targets', { kind: 'AuthorizationPolicy', object: authorizationPolicy(KEY, { targetRefs }) }, NO_SERVICE],
  [
    'by targets',
    { kind: 'RequestAuthentication', object: requestAuthentication(KEY, { targetRefs, jwtRules: [] }) },
    NO_SERVICE,
  ],
  ['by targets', { kind: 'RateLimitPolicy', object: rateLimitPolicy(KEY, { targetRefs, limits }) }, NO_SERVICE],
  [
    'by labels',
    { kind: 'Sidecar', object: sidecar(KEY, { workloadSelector: { labels: nobody }, egress: [{ hosts: ['./*'] }] }) },
    'spec.workloadSelector: no pod of namespace shop with a sidecar has these labels',
  ],
  [
    'by labels',
    {
      kind: 'ServiceEntry',
      object: serviceEntry(KEY, {
        hosts: ['a.example'],
        ports,
        resolution: 'STATIC',
        workloadSelector: { labels: nobody },
      }),
    },
    'spec.workloadSelector selects no pod and no WorkloadEntry of namespace shop',
  ],
  [
    'by labels',
    { kind: 'WorkloadEntry', object: workloadEntry(KEY, { address: '10.9.9.9', labels: nobody }) },
    'spec.labels: no Service and no ServiceEntry of its namespace selects it',
  ],
  [
    'by its host',
    { kind: 'DestinationRule', object: destinationRule(KEY, { host: 'gone.example' }) },
    'spec.host: no service has the host gone.example',
  ],
  [
    'by its destination',
    { kind: 'VirtualService', object: virtualService(KEY, { hosts: ['gone.example'], http: [{ route }] }) },
    'spec.http[0].route[0].destination: there is no Service or ServiceEntry for host gone.example',
  ],
];

test.each(CASES)('what selects nothing %s says so (%#)', (_, object, expected) => {
  const mesh = new MeshBuilder(SETTINGS);
  const put = (...objects: MeshObject[]): void => {
    mesh.apply(objects.map((one) => ({ ...one, key: keyOf(one.object.metadata ?? {}) }) as MeshChange));
  };
  const accepted = (): string => {
    const view = mesh.snapshot.policies.get(objectKey({ kind: object.kind, namespace: 'shop', name: 'p' }));
    if (view === undefined) throw new Error('it is not judged');
    const [{ status, reason, message } = { status: '', reason: '', message: '' }] = buildConditions(
      view,
      NO_ENFORCEMENT,
      undefined,
    );
    return `${status} ${reason}: ${message}`;
  };
  put({ kind: 'Pod', object: pod('web', { labels: { app: 'web' } }) }, object);
  expect(accepted()).toContain(expected);
  put(
    { kind: 'Pod', object: pod('late', { labels: nobody }) },
    { kind: 'Service', object: service('gone', nobody) },
    { kind: 'ServiceEntry', object: serviceEntry('shop/gone', { hosts: ['gone.example'], ports, resolution: 'DNS' }) },
  );
  expect(accepted()).not.toContain(expected);
});
