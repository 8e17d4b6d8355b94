import { byAge } from './mesh-object.ts';
import type { PodFacts } from './pod.ts';
import { protocolOf } from './protocol.ts';
import { hostnameOf, type ServiceFacts } from './service.ts';
import type { SidecarInbound } from './sidecar-fields.ts';
import type { AppProtocol, InboundPort, MeshSettings, ServicePort } from './snapshot.ts';

/**
 * Ports on which an injected pod serves: the targets of all Services that select it, and what its containers declare.
 * Where two Services disagree on the protocol of one port it is sniffed, and the oldest Service is named, before addresses of one side of a Canary.
 * @param sidecar what a Sidecar says instead: where it lists listeners, these and no others are declared
 */
export function buildInbound(
  settings: MeshSettings,
  pod: PodFacts,
  services: Iterable<ServiceFacts>,
  sidecar?: SidecarInbound,
): InboundPort[] {
  const declared = buildDeclared(settings, pod, services);
  const pool = sidecar?.connectionPool === undefined ? {} : { connectionPool: sidecar.connectionPool };
  if (sidecar === undefined || sidecar.listeners.length === 0) {
    return [...declared.values()].sort(byPort).map((port) => ({ ...port, ...pool }));
  }
  return [...sidecar.listeners].sort(byPort).map((listener) => {
    const service = declared.get(listener.port)?.service;
    return { ...pool, ...listener, ...(service === undefined ? {} : { service }) };
  });
}

/** Container ports of a pod to which the ports of a Service lead. */
export function targetPortsOf(pod: PodFacts, { ports }: Pick<ServiceFacts, 'ports'>): number[] {
  return ports.filter(({ protocol }) => protocol !== 'udp').flatMap((port) => targetsOf(pod, port));
}

function byRank(a: ServiceFacts, b: ServiceFacts): number {
  return Number(a.side !== undefined) - Number(b.side !== undefined) || byAge(a, b);
}

function byPort(a: InboundPort, b: InboundPort): number {
  return a.port - b.port;
}

function buildDeclared(
  settings: MeshSettings,
  pod: PodFacts,
  services: Iterable<ServiceFacts>,
): Map<number, InboundPort> {
  const ports = new Map<number, InboundPort>();
  for (const service of [...services].sort(byRank)) {
    for (const servicePort of service.ports) {
      if (servicePort.protocol === 'udp') continue;
      for (const port of targetsOf(pod, servicePort)) {
        const earlier = ports.get(port);
        ports.set(port, {
          port,
          protocol: mergeProtocol(earlier?.protocol, servicePort.protocol),
          service: earlier?.service ?? hostnameOf(settings, service.key),
        });
      }
    }
  }
  for (const { port } of pod.ports) {
    if (!ports.has(port)) ports.set(port, { port, protocol: protocolOf({ numbers: [port] }) });
  }
  return ports;
}

/** Container ports of a pod to which a port of a Service leads. */
export function targetsOf(pod: PodFacts, { targetPort }: Pick<ServicePort, 'targetPort'>): number[] {
  if (typeof targetPort === 'number') return [targetPort];
  // Kubernetes takes the first container port of the name.
  return pod.ports
    .filter(({ name }) => name === targetPort)
    .slice(0, 1)
    .map(({ port }) => port);
}

function mergeProtocol(earlier: AppProtocol | undefined, protocol: AppProtocol): AppProtocol {
  return earlier === undefined || earlier === protocol ? protocol : 'auto';
}
