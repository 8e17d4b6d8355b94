import type { Labels } from '../mesh/selector.ts';
import type { Locality } from '../mesh/snapshot.ts';
import type { Lazy } from './lazy.ts';
import { type AssignmentInput, localityDependence, translateAssignment } from './load-assignments.ts';
import type { XdsResource } from './resource.ts';

/** Where a client is and what its pod's labels are. */
export interface AssignmentClient {
  readonly locality: Locality;
  readonly labels: Labels;
}

/** The endpoints of one cluster: the same for all clients, or, where the policy says so, in an order that depends on where a client is. */
export class Assignment {
  private readonly input: Omit<AssignmentInput, 'client' | 'clusterVersion'>;
  private readonly cluster: Lazy<XdsResource>;
  private readonly dependence: ReturnType<typeof localityDependence>;
  private readonly encoded = new Map<string, XdsResource>();
  private plain: XdsResource | undefined;
  /** Whether clients in different places get different ones. */
  readonly varies: boolean;

  constructor(input: Omit<AssignmentInput, 'client' | 'clusterVersion'>, cluster: Lazy<XdsResource>) {
    this.input = input;
    this.cluster = cluster;
    this.dependence = localityDependence(input.policy);
    this.varies = this.dependence.locality || this.dependence.labels.length > 0;
  }

  /** Whether anybody has asked for it. */
  get isMade(): boolean {
    return this.plain !== undefined || this.encoded.size > 0;
  }

  /** As a client sees it; encoded when first asked for. */
  for(client: AssignmentClient): XdsResource {
    const { dependence } = this;
    if (!this.varies) {
      this.plain ??= this.translate(undefined);
      return this.plain;
    }
    const values = dependence.labels.map((name) => (Object.hasOwn(client.labels, name) ? client.labels[name] : null));
    const { region, zone, subzone } = client.locality;
    const key = JSON.stringify([dependence.locality ? [region, zone, subzone] : [], values]);
    const known = this.encoded.get(key);
    if (known !== undefined) return known;
    const built = this.translate(client);
    this.encoded.set(key, built);
    return built;
  }

  private translate(client: AssignmentClient | undefined): XdsResource {
    return translateAssignment({ ...this.input, clusterVersion: this.cluster.value.version, client });
  }
}
