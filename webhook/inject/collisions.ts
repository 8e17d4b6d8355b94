import type { V1Container, V1Pod } from '@kubernetes/client-node';
import { INIT_CONTAINER, PROXY_CONTAINER } from '../../api/pod-names.ts';
import {
  ADMIN_PORT,
  DNS_PORT,
  GRPC_PROBE_PORT_BASE,
  GRPC_PROBE_PORT_COUNT,
  HEALTH_PORT,
  INBOUND_PORT,
  METRICS_PORT,
  OUTBOUND_PORT,
  PROBE_PORT,
  PROXY_UID,
} from '../../proxy/ports.ts';
import { VOLUME_NAMES } from './volumes.ts';

const RESERVED = new Map([
  [ADMIN_PORT, "Envoy's admin interface"],
  [OUTBOUND_PORT, 'redirected outbound traffic'],
  [INBOUND_PORT, 'redirected inbound traffic'],
  [PROBE_PORT, 'probes'],
  [DNS_PORT, 'DNS'],
  [HEALTH_PORT, "the sidecar's health"],
  [METRICS_PORT, "the sidecar's metrics"],
]);

/**
 * What in a pod cannot stand beside a sidecar: ports, volume and container names, and the proxy's user.
 * @param reinjected the pod carries our status: containers and volumes of our names are ours
 * @returns one sentence per problem, naming the field and the way out
 */
export function findCollisions(pod: V1Pod, reinjected: boolean): string[] {
  const spec = pod.spec;
  if (!spec) return ['spec: is missing'];
  const problems: string[] = [];
  eachContainer(pod, (container, field) => {
    if (container.name === PROXY_CONTAINER || container.name === INIT_CONTAINER) {
      if (!reinjected || !field.startsWith('spec.initContainers')) {
        problems.push(`${field}.name: "${container.name}" is the name of a container Heddle adds; choose another`);
      }
      return;
    }
    problems.push(...portProblems(container, field), ...userProblems(container.securityContext?.runAsUser, field));
  });
  problems.push(...userProblems(spec.securityContext?.runAsUser, 'spec'));
  for (const [index, volume] of (spec.volumes ?? []).entries()) {
    if (reinjected || !VOLUME_NAMES.includes(volume.name)) continue;
    problems.push(`spec.volumes[${index}].name: "${volume.name}" is the name of a volume Heddle adds; choose another`);
  }
  return problems;
}

function eachContainer({ spec }: V1Pod, visit: (container: V1Container, field: string) => void): void {
  for (const [index, container] of (spec?.initContainers ?? []).entries())
    visit(container, `spec.initContainers[${index}]`);
  for (const [index, container] of (spec?.containers ?? []).entries()) visit(container, `spec.containers[${index}]`);
}

function portProblems(container: V1Container, field: string): string[] {
  return (container.ports ?? []).flatMap(({ containerPort }, index) => {
    const use = RESERVED.get(containerPort) ?? (isGrpcProbePort(containerPort) ? 'gRPC probes' : undefined);
    if (!use) return [];
    const path = `${field}.ports[${index}].containerPort`;
    return [
      `${path}: ${containerPort} is taken by the sidecar for ${use}; let container ${container.name} use another port`,
    ];
  });
}

function isGrpcProbePort(port: number): boolean {
  return port >= GRPC_PROBE_PORT_BASE && port < GRPC_PROBE_PORT_BASE + GRPC_PROBE_PORT_COUNT;
}

function userProblems(user: number | undefined, field: string): string[] {
  if (user !== PROXY_UID) return [];
  const path = `${field}.securityContext.runAsUser`;
  return [`${path}: ${PROXY_UID} is the sidecar's user, whose traffic is never redirected; choose another`];
}
