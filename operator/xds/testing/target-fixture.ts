import type { TcpRule, TlsRule, WeightedBackend } from '../../mesh/route-rule.ts';
import type { Endpoint, MeshService, ServicePort } from '../../mesh/snapshot.ts';
import { buildOutboundTarget, type OutboundTarget, type TargetInput } from '../outbound-target.ts';
import { service } from './mesh-fixture.ts';

/** Targets of outbound connections for tests: each backend is one cluster, of its host's name. */

/** A host of a ServiceEntry in the namespace `shop`. */
export function entry(hostname: string, ports: readonly ServicePort[], more: Partial<MeshService> = {}): MeshService {
  return {
    ...service('entry.shop', ports),
    key: `shop/${hostname}`,
    hostname,
    kind: 'Entry',
    resolution: 'dns',
    external: true,
    addresses: [],
    ...more,
  };
}

/** What the first port of a service asks for; by default it leads to the cluster of the service's name. */
export function targetInput(of: MeshService, more: Partial<TargetInput> = {}): TargetInput {
  const [port] = of.ports;
  if (port === undefined) throw new Error('the service needs a port');
  const resolve = ({ hostname }: { hostname: string }) => ({
    shares: [{ cluster: hostname, weight: 100 }],
    hashPolicies: [],
  });
  const endpoints: readonly Endpoint[] = [];
  return { service: of, port, endpoints, backend: resolve(of), tcp: [], tls: [], resolve, dnsCapture: false, ...more };
}

/** The target itself; throws where there is none. */
export function target(of: MeshService, more: Partial<TargetInput> = {}): OutboundTarget {
  const built = buildOutboundTarget(targetInput(of, more));
  if (built === undefined) throw new Error(`${of.hostname} asks for nothing`);
  return built;
}

export function tcpRule(backends: readonly WeightedBackend[], ...subnets: readonly (readonly string[])[]): TcpRule {
  return { matches: subnets.map((blocks) => ({ subnets: blocks })), backends };
}

export function tlsRule(
  backends: readonly WeightedBackend[],
  sniHosts: readonly string[],
  subnets: readonly string[] = [],
): TlsRule {
  return { matches: [{ sniHosts, subnets }], backends };
}
