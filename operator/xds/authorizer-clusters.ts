import type { TrafficPolicy } from '../mesh/destination-policy.ts';
import type { DestinationIndex } from '../mesh/destination-selection.ts';
import { effectivePolicy } from '../mesh/destination-selection.ts';
import { isDeclaredHttp } from '../mesh/protocol.ts';
import type { Endpoint, MeshService, MeshSettings, ServiceKey, ServicePort } from '../mesh/snapshot.ts';
import { Assignment } from './assignment.ts';
import { translateServiceCluster } from './clusters.ts';
import { expectedPeers } from './destination.ts';
import type { FoundCluster } from './found-cluster.ts';
import type { HostIndex } from './host-index.ts';
import { Lazy } from './lazy.ts';
import { readAuthorizerCluster } from './names.ts';
import { CLUSTER_TYPE, ENDPOINT_TYPE } from './resource.ts';
import { routablePorts } from './routable-ports.ts';

/** What is looked at to make the clusters. */
export interface AuthorizerSources {
  readonly settings: Pick<MeshSettings, 'rootNamespace' | 'meshMTLS'>;
  readonly hosts: HostIndex;
  readonly policies: DestinationIndex;
  readonly services: { endpoints(key: ServiceKey): readonly Endpoint[] };
}

/**
 * Clusters of whom policies with action CUSTOM ask. They are the same for all proxies, as for a client of the provider's own namespace: neither a
 * Sidecar nor `exportTo` nor a DestinationRule of those who are asked about changes whom is asked, or how.
 */
export class AuthorizerClusters {
  private readonly sources: AuthorizerSources;
  /** Of what was asked for, until it changes; undefined: there was no such service. */
  private readonly known = new Map<string, FoundCluster | undefined>();

  constructor(sources: AuthorizerSources) {
    this.sources = sources;
  }

  /**
   * @param name of those that some proxy needs
   * @returns undefined when there is no such service
   */
  find(name: string): FoundCluster | undefined {
    if (!this.known.has(name)) this.known.set(name, this.build(name));
    return this.known.get(name);
  }

  /** Of all that were asked for. */
  names(): Iterable<string> {
    return this.known.keys();
  }

  /**
   * Takes in that services differ, or their endpoints or policies.
   * @param tell is told of every cluster that may differ now
   */
  update(services: ReadonlySet<ServiceKey>, tell: (typeUrl: string, name: string) => void): void {
    for (const name of [...this.known.keys()]) {
      if (!services.has(readAuthorizerCluster(name)?.service ?? '')) continue;
      this.known.delete(name);
      tell(CLUSTER_TYPE, name);
      tell(ENDPOINT_TYPE, name);
    }
  }

  private build(name: string): FoundCluster | undefined {
    const read = readAuthorizerCluster(name);
    const service = read && this.sources.hosts.get(read.service);
    const port = service && routablePorts(service).find((one) => one.port === read?.port);
    if (read === undefined || service === undefined || port === undefined) return undefined;
    const endpoints = this.sources.services.endpoints(read.service);
    const policy = this.policy(service, port);
    const minTls = this.sources.settings.meshMTLS?.minProtocolVersion;
    const input = {
      name,
      service,
      port: { ...port, protocol: protocolOf(port, read.protocol) },
      subset: '',
      revision: '',
      peers: service.external ? [] : expectedPeers(endpoints),
      policy,
      endpoints,
      ...(minTls && { minTls }),
    };
    const cluster = new Lazy(() => translateServiceCluster(input));
    const members = { cluster: name, portName: port.name, endpoints, policy };
    return { cluster, assignment: service.resolution === 'endpoints' ? new Assignment(members, cluster) : undefined };
  }

  /** Where the client wanted to go would be where the request came from, so no policy may choose that. */
  private policy(service: MeshService, port: ServicePort): TrafficPolicy {
    const { policies, settings } = this.sources;
    const client = { namespace: service.namespace, labels: {} };
    const policy = effectivePolicy(policies.select(client, service, settings.rootNamespace), undefined, port.port);
    const { loadBalancer, ...rest } = policy;
    return loadBalancer?.simple === 'PASSTHROUGH' ? rest : policy;
  }
}

/** By what is asked, whatever the port's name says. */
function protocolOf({ protocol }: ServicePort, wanted: 'http' | 'grpc'): ServicePort['protocol'] {
  if (wanted === 'grpc') return 'grpc';
  return isDeclaredHttp(protocol) ? protocol : 'http';
}
