import { CLUSTER_TYPE, LISTENER_TYPE, type XdsResource } from '../xds/resource.ts';
import type { DeltaRequest } from './request.ts';

/**
 * Keeps clusters as they are while a proxy starts, as far as Envoy could not bear to see them change. It makes its first clusters ready in two phases, and
 * keeps a list of those it waits for in each (`ClusterManagerInitHelper::addCluster` in its source). One that comes again in the other phase, as when a
 * DestinationRule says PASSTHROUGH, stays in the first list though it is gone: Envoy then never gets ready, or crashes. And one of the first phase that
 * waits for its certificate outlives its change or removal for a moment: if the certificate comes then, Envoy crashes (its issue 32917). So both wait
 * until the proxy asks for listeners, which it does when its clusters are ready. One that comes back may be starting still: what it holds waits until then too,
 * and one that has started asks for listeners at once.
 */
export class StartingClusters {
  /** By name of those that it has, `unknown` where it had them before this stream; undefined once the proxy has started. */
  private phases: Map<string, XdsResource['phase'] | 'unknown'> | undefined = new Map();

  /** Takes in what the proxy says that it holds, and that it has started. */
  asked({ typeUrl, initialVersions }: DeltaRequest): void {
    if (typeUrl === LISTENER_TYPE) this.phases = undefined;
    if (typeUrl === CLUSTER_TYPE) for (const name of initialVersions.keys()) this.phases?.set(name, 'unknown');
  }

  /** Whether a newer state of a cluster has to wait. */
  holdsBack({ name, phase }: XdsResource): boolean {
    const sent = this.phases?.get(name);
    return sent === 'primary' || (sent !== undefined && sent !== phase);
  }

  /** Whether the removal of a cluster has to wait. */
  keeps(name: string): boolean {
    const sent = this.phases?.get(name);
    return sent === 'primary' || sent === 'unknown';
  }

  sent(upserts: readonly XdsResource[], removed: readonly string[]): void {
    for (const { name, phase } of upserts) this.phases?.set(name, phase);
    for (const name of removed) this.phases?.delete(name);
  }
}
