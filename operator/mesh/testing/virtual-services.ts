import type { VirtualServiceSpec } from '../../../api/virtual-service.ts';
import { buildSnapshot } from '../mesh-builder.ts';
import type { MeshObject } from '../mesh-object.ts';
import type { MeshSnapshot } from '../snapshot.ts';
import { SETTINGS, service, virtualService } from './objects.ts';

const OLD = '2026-01-01T00:00:00Z';
export const YOUNG = '2026-01-02T00:00:00Z';
/** Host of the Service that is there. */
export const A = 'a.shop.svc.cluster.local';

export type Given = readonly [key: string, spec: VirtualServiceSpec, creation?: string];

/** The snapshot of a mesh with a Service `a` (port 80) in namespace `shop`; namespaces `shop` and `other` are ours. */
export function buildRoutes(given: readonly Given[], others: readonly MeshObject[] = []) {
  const namespaces = ['shop', 'other'].map(
    (name): MeshObject => ({
      kind: 'Namespace',
      object: { metadata: { name, labels: { 'heddle.dev/injection': 'enabled' } } },
    }),
  );
  const services: MeshObject[] = [{ kind: 'Service', object: service('a', {}) }];
  const routes = given.map(
    ([key, spec, creation = OLD]): MeshObject => ({
      kind: 'VirtualService',
      object: virtualService(key, spec, creation),
    }),
  );
  return buildSnapshot(SETTINGS, [...namespaces, ...services, ...others, ...routes]);
}

/** What its user is told: reasons and messages. */
export function told(snapshot: MeshSnapshot, key: string): (readonly [reason: string, message: string])[] {
  const problems = snapshot.policies.get(`VirtualService/${key}`)?.problems ?? [];
  return problems.map(({ reason, message }) => [reason, message]);
}

/** An action that leads to one destination. */
export const to = (host: string, more: { subset?: string; port?: { number: number } } = {}) => ({
  route: [{ destination: { host, ...more } }],
});

export const toA: VirtualServiceSpec = { hosts: ['a'], http: [to('a')] };
