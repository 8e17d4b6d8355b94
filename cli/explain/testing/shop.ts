import { buildSnapshot } from '../../../operator/mesh/mesh-builder.ts';
import type { MeshObject } from '../../../operator/mesh/mesh-object.ts';
import type { MeshSettings, MeshSnapshot } from '../../../operator/mesh/snapshot.ts';
import { destinationRule, pod, SETTINGS, service, slice } from '../../../operator/mesh/testing/objects.ts';
import { type Explanation, explainCall } from '../explain-call.ts';
import type { HttpRequest } from '../request.ts';

const UI = pod('ui-1', { deployment: 'ui', revision: 'a', address: '10.0.0.1', labels: { app: 'ui' } });
const PLAIN = pod('job-1', { injected: false, address: '10.0.0.9' });
const ORDERING = ['v1', 'v2'].map((version, index) =>
  pod(`ordering-${version}`, {
    deployment: 'ordering',
    revision: version,
    address: `10.0.1.${index + 1}`,
    labels: { app: 'ordering', version },
  }),
);
const LEGACY = pod('legacy-1', { injected: false, address: '10.0.2.1', labels: { app: 'legacy' } });

/** A shop of UI, Ordering in two versions with HTTP and TCP, and something without a sidecar. */
export const SHOP: readonly MeshObject[] = [
  ...[UI, PLAIN, LEGACY, ...ORDERING].map((object): MeshObject => ({ kind: 'Pod', object })),
  {
    kind: 'Service',
    object: service(
      'ordering',
      { app: 'ordering' },
      {
        ports: [
          { name: 'http', port: 80, targetPort: 8080 },
          { name: 'tcp', port: 90, targetPort: 9000 },
        ],
      },
    ),
  },
  { kind: 'EndpointSlice', object: slice('ordering', ORDERING, { http: 8080, tcp: 9000 }) },
  { kind: 'Service', object: service('legacy', { app: 'legacy' }, { clusterIP: '10.96.0.2' }) },
  { kind: 'EndpointSlice', object: slice('legacy', [LEGACY]) },
  {
    kind: 'DestinationRule',
    object: destinationRule('shop/ordering', {
      host: 'ordering',
      subsets: ['v1', 'v2'].map((version) => ({ name: version, labels: { version } })),
    }),
  },
];

/** The shop with more objects. */
export function shop(more: readonly MeshObject[] = [], settings: Partial<MeshSettings> = {}): MeshSnapshot {
  return buildSnapshot({ ...SETTINGS, ...settings }, [...SHOP, ...more]);
}

/** What becomes of a request of UI to Ordering, or of bytes. */
export function ask(
  mesh: MeshSnapshot,
  {
    host = 'ordering',
    port = 80,
    plain = false,
    tcp = false,
    ...request
  }: Partial<HttpRequest> & { host?: string; port?: number; plain?: boolean; tcp?: boolean } = {},
): Explanation {
  const workload = plain ? undefined : mesh.workloads.get('uid-ui-1');
  const caller = { namespace: 'shop', address: plain ? '10.0.0.9' : '10.0.0.1', ...(workload && { workload }) };
  const full = { method: 'GET', scheme: 'http', authority: host, path: '/', headers: [], ...request };
  return explainCall(mesh, { caller, host, port, now: Date.now() / 1000, ...(tcp ? {} : { request: full }) });
}
