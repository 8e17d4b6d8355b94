import type { V1Service } from '@kubernetes/client-node';
import { objectKey } from '../../../operator/mesh/object-ref.ts';
import { matchSelector } from '../../../operator/mesh/selector.ts';
import type { MeshService, MeshSnapshot, Workload } from '../../../operator/mesh/snapshot.ts';
import type { Analyzer } from '../context.ts';
import type { AnyObject } from '../documents.ts';
import type { Finding } from '../message.ts';

/** Ports whose protocol is guessed, and Services that are in each other's way on the same pods. */
export const analyzeServices: Analyzer = function* ({ snapshot, ofKind }) {
  const objects = new Map(
    ofKind<AnyObject & V1Service>('Service').map((one) => [`${one.metadata?.namespace}/${one.metadata?.name}`, one]),
  );
  const meshed = meshedServices(snapshot);
  for (const { object, ports } of meshed.keys()) {
    const written = objects.get(`${object.namespace}/${object.name}`)?.spec?.ports ?? [];
    for (const [index, { name = '', port, targetPort = port }] of written.entries()) {
      if (ports.find((one) => one.port === port)?.protocol !== 'auto') continue;
      const message = `Port name ${name} (port: ${port}, targetPort: ${targetPort}) doesn't follow the naming convention of Istio port.`;
      yield { code: 'IST0118', object, field: `spec.ports[${index}]`, message };
    }
  }
  yield* sharedPods(meshed);
};

/** Services with a selector, and the sidecars that they select. */
function meshedServices({ services, workloads }: MeshSnapshot): Map<MeshService, Workload[]> {
  const found = new Map<MeshService, Workload[]>();
  for (const service of services.values()) {
    if (service.kind === 'Entry' || service.kind === 'ExternalName') continue;
    const own = [...workloads.values()].filter(
      ({ namespace, labels }) => namespace === service.namespace && matchSelector(service.selector, labels),
    );
    if (own.length > 0) found.set(service, own);
  }
  return found;
}

/** Once for each workload. */
function* sharedPods(meshed: Map<MeshService, Workload[]>): Generator<Finding> {
  const byOwner = new Map<string, Set<MeshService>>();
  for (const [service, workloads] of meshed) {
    for (const { namespace, owner } of workloads) {
      const key = `${namespace}/${owner}`;
      byOwner.set(key, (byOwner.get(key) ?? new Set()).add(service));
    }
  }
  for (const [key, services] of byOwner) {
    const [namespace = '', name = ''] = key.split('/');
    const object = { kind: 'Deployment', namespace, name };
    const ports = [...services].flatMap((service) => service.ports.map((port) => ({ service, port })));
    for (const [port, same] of Map.groupBy(ports, (one) => one.port.port)) {
      const protocols = new Set(same.map((one) => one.port.protocol));
      if (protocols.size < 2 || new Set(same.map((one) => one.service)).size < 2) continue;
      const names = same.map((one) => objectKey(one.service.object).replace('Service/', ''));
      const message = `This deployment ${name} is associated with multiple services using port ${port} but different protocols: ${names.join(', ')}`;
      yield { code: 'IST0116', object, message };
    }
    for (const [target, same] of Map.groupBy(ports, (one) => String(one.port.targetPort))) {
      const numbers = [...new Set(same.map((one) => one.port.port))];
      const names = [...new Set(same.map((one) => one.service.name))];
      if (numbers.length < 2 || names.length < 2) continue;
      const message = `This deployment ${name} is associated with multiple services ${names.join(', ')} using targetPort "${target}" but different ports: ${numbers.join(', ')}.`;
      yield { code: 'IST0137', object, message };
    }
  }
}
