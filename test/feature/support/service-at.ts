import type { MeshObject } from '../../../operator/mesh/mesh-object.ts';
import { pod, service, slice } from '../../../operator/mesh/testing/objects.ts';

/** A Service with one endpoint on loopback, outside of the mesh. */
export function serviceAt(name: string, targetPort: number): MeshObject[] {
  const app = pod(`${name}-1`, { injected: false, address: '127.0.0.1' });
  const ports = [{ name: 'http', port: 80, targetPort }];
  return [
    { kind: 'Pod', object: app },
    { kind: 'Service', object: service(name, { app: name }, { clusterIP: 'None', ports }) },
    { kind: 'EndpointSlice', object: slice(name, [app], { http: targetPort }) },
  ];
}
