import type { V1EndpointSlice } from '@kubernetes/client-node';
import { type CanarySpec, canarySpec } from '../../../api/canary.ts';
import { type CanarySide, SIDE_ANNOTATION } from '../../../api/canary-side.ts';
import type { CanaryStatus } from '../../../api/canary-status.ts';
import type { MeshObject } from '../../../operator/mesh/mesh-object.ts';
import { canary, pod, service, slice } from '../../../operator/mesh/testing/objects.ts';
import { addressOf } from './sidecar-on-stream.ts';

/** A port of a Service, and the ports of loopback behind it: of the stable revision, and of the new one. */
export interface ReleasedPort {
  readonly name: string;
  readonly port: number;
  readonly stable: number;
  readonly next: number;
}

/** A Service of a Deployment of its name, with a pod of the stable revision `r1`, and one of `r2` that our gate holds, unless told. @param number gives its address */
export function releasedService(name: string, number: number, port: ReleasedPort, gated = true): MeshObject[] {
  const one = { deployment: name, injected: false, labels: { app: name }, address: '127.0.0.1' };
  const old = pod(`${name}-old`, { ...one, revision: 'r1' });
  const fresh = pod(`${name}-new`, { ...one, revision: 'r2', gated });
  const spec = { clusterIP: addressOf(number), ports: [{ name: port.name, port: port.port, targetPort: port.name }] };
  const second: V1EndpointSlice = slice(name, [fresh], { [port.name]: port.next });
  second.metadata = { ...second.metadata, name: `${name}-2` };
  return [
    { kind: 'Pod', object: old },
    { kind: 'Pod', object: fresh },
    { kind: 'Service', object: service(name, { app: name }, spec) },
    { kind: 'EndpointSlice', object: slice(name, [old], { [port.name]: port.stable }) },
    { kind: 'EndpointSlice', object: second },
  ];
}

/** A Service over the same pods that is the address of one side: `NAME-SIDE`. @param number gives its address */
export function sideService(
  name: string,
  side: CanarySide,
  number: number,
  port: ReleasedPort,
  gated = true,
): MeshObject[] {
  const address = `${name}-${side}`;
  const objects = releasedService(name, number, port, gated);
  return objects.flatMap((object): MeshObject[] => {
    if (object.kind === 'Service') {
      const metadata = { ...object.object.metadata, name: address, annotations: { [SIDE_ANNOTATION]: side } };
      return [{ kind: 'Service', object: { ...object.object, metadata } }];
    }
    if (object.kind !== 'EndpointSlice') return [];
    const labels = { 'kubernetes.io/service-name': address };
    const metadata = { ...object.object.metadata, name: `${address}-${object.object.metadata?.name}`, labels };
    return [{ kind: 'EndpointSlice', object: { ...object.object, metadata } }];
  });
}

/** The Canary of such a Deployment, as its controller has left it; `status` goes over that of a release that gets nothing yet. */
export function releaseOf(name: string, analysis: object, status: CanaryStatus): MeshObject {
  const begun = { stableRevision: 'r1', canaryRevision: 'r2', ungatedRevisions: ['r1'], weight: 0, ...status };
  const object = canary(name, name, begun);
  const targetRef = { kind: 'Deployment', name };
  const spec: CanarySpec = canarySpec.parse({ targetRef, analysis: { interval: '10s', ...analysis } });
  return { kind: 'Canary', object: { ...object, spec } };
}
