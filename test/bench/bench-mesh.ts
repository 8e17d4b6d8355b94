import type { V1Pod } from '@kubernetes/client-node';
import type { AuthorizationPolicySpec } from '../../api/authorization-policy.ts';
import type { DestinationRuleSpec } from '../../api/destination-rule.ts';
import type { VirtualServiceSpec } from '../../api/virtual-service.ts';
import { keyOf, type MeshChange } from '../../operator/mesh/mesh-object.ts';
import {
  authorizationPolicy,
  destinationRule,
  peerAuthentication,
  pod,
  service,
  slice,
  virtualService,
} from '../../operator/mesh/testing/objects.ts';
import type { MeshSize } from './messages.ts';

const PODS_PER_SERVICE = 3;

/** The path that is denied in a round. */
export const deniedPath = (round: number): string => `/round-${round}`;

/** The objects of a mesh of a size, and how one of them changes from round to round. */
export class BenchMesh {
  readonly pods: readonly V1Pod[];
  private readonly size: MeshSize;
  private readonly namespaces: number;

  constructor(size: MeshSize) {
    this.size = size;
    this.namespaces = size.namespaces ?? 1;
    this.pods = Array.from({ length: size.proxies }, (_, index) => this.pod(index));
  }

  /** Everything, as if the mesh began. */
  all(): MeshChange[] {
    const changes: MeshChange[] = Array.from({ length: this.namespaces }, (_, index) => {
      const metadata = { name: this.namespace(index), labels: { 'heddle.dev/injection': 'enabled' } };
      return { kind: 'Namespace', key: metadata.name, object: { metadata } };
    });
    for (const object of this.pods) changes.push({ kind: 'Pod', key: keyOf(object.metadata), object });
    for (let index = 0; index < this.size.services; index++) changes.push(...this.ofService(index, 0));
    if (this.size.inboundAt !== undefined) {
      const object = peerAuthentication('shop/default', { mtls: { mode: 'DISABLE' } });
      changes.push({ kind: 'PeerAuthentication', key: keyOf(object.metadata), object });
    }
    return changes;
  }

  /** All of a Service but its pods. */
  ofService(index: number, round: number): MeshChange[] {
    const changes = [this.service(index), this.endpoints(index, round)];
    if (this.size.traffic) changes.push(this.destinationRule(index, round), this.virtualService(index, round));
    return changes;
  }

  /** Beside the pods, another address in every round: a change that a proxy must hear of. */
  endpoints(index: number, round: number): MeshChange {
    const { metadata, ...rest } = slice(`app-${index}`, this.podsOf(index));
    const endpoints = [
      ...(rest.endpoints ?? []),
      { addresses: [`10.200.0.${1 + (round % 250)}`], conditions: { ready: true } },
    ];
    const object = { ...rest, metadata: { ...metadata, namespace: this.namespace(index) }, endpoints };
    return { kind: 'EndpointSlice', key: keyOf(object.metadata), object };
  }

  /** Other weights in every round. */
  virtualService(index: number, round: number): MeshChange {
    const weight = round % 100;
    const to = (subset: string, share: number) => ({ destination: { host: `app-${index}`, subset }, weight: share });
    const spec: VirtualServiceSpec = {
      hosts: [`app-${index}`],
      http: [{ timeout: '5s', route: [to('v1', 100 - weight), to('v2', weight)] }],
    };
    const object = virtualService(`${this.namespace(index)}/app-${index}`, spec);
    return { kind: 'VirtualService', key: keyOf(object.metadata), object };
  }

  /** Another limit in every round. */
  destinationRule(index: number, round: number): MeshChange {
    const subsets = ['v1', 'v2'].map((version) => ({ name: version, labels: { version } }));
    const spec: DestinationRuleSpec = {
      host: `app-${index}`,
      trafficPolicy: { connectionPool: { tcp: { maxConnections: 1000 + round } } },
      subsets,
    };
    const object = destinationRule(`${this.namespace(index)}/app-${index}`, spec);
    return { kind: 'DestinationRule', key: keyOf(object.metadata), object };
  }

  /** A policy about all pods of the Service's namespace that denies another path in every round. */
  authorizationPolicy(index: number, round: number): MeshChange {
    const spec: AuthorizationPolicySpec = {
      action: 'DENY',
      rules: [{ to: [{ operation: { paths: [deniedPath(round)] } }] }],
    };
    const object = authorizationPolicy(`${this.namespace(index)}/app-${index}`, spec);
    return { kind: 'AuthorizationPolicy', key: keyOf(object.metadata), object };
  }

  private namespace(index: number): string {
    return this.namespaces === 1 ? 'shop' : `shop-${index % this.namespaces}`;
  }

  private service(index: number): MeshChange {
    const clusterIP = `10.96.${index >> 8}.${index & 255}`;
    const { metadata, ...rest } = service(
      `app-${index}`,
      { app: `app-${index}` },
      { clusterIP, clusterIPs: [clusterIP] },
    );
    const object = { ...rest, metadata: { ...metadata, namespace: this.namespace(index) } };
    return { kind: 'Service', key: keyOf(object.metadata), object };
  }

  private pod(index: number): V1Pod {
    const address = `10.${1 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
    const app = `app-${index % this.size.services}`;
    const version = `v${1 + (Math.floor(index / this.namespaces) % 2)}`;
    return pod(`p-${index}`, {
      address,
      namespace: this.namespace(index),
      labels: { app, version },
      deployment: app,
      revision: 'r1',
      node: `node-${index % 50}`,
    });
  }

  /** Pods of the Service's namespace. */
  private podsOf(index: number): V1Pod[] {
    const backing = this.pods.length === 0 ? [this.pod(0)] : this.pods;
    // With fewer pods than Services, one pod stands behind several.
    const step = this.size.services < backing.length ? this.size.services : this.namespaces;
    return Array.from({ length: PODS_PER_SERVICE }, (_, nth) => {
      const chosen = backing[(index + nth * step) % backing.length];
      return chosen ?? this.pod(0);
    });
  }
}
