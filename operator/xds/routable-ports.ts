import type { MeshService, ServicePort } from '../mesh/snapshot.ts';

/** Ports that carry TCP, one per number. ExternalName services are names for others and have none of their own. */
export function routablePorts(service: MeshService): ServicePort[] {
  if (service.kind === 'ExternalName') return [];
  const ports = new Map<number, ServicePort>();
  for (const port of service.ports) {
    if (port.protocol !== 'udp' && !ports.has(port.port)) ports.set(port.port, port);
  }
  return [...ports.values()];
}
