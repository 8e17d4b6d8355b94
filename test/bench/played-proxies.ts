import { Child } from './child.ts';
import type { Holding, ProxiesReport, ProxyPod, ServerPlace } from './messages.ts';

const WAVE = 50;

/** Played proxies of pods of an API server, in a process of their own. */
export class PlayedProxies {
  private readonly child = new Child('./proxy-clients.ts');
  private readonly pods: readonly ProxyPod[];

  constructor(pods: readonly ProxyPod[]) {
    this.pods = pods;
  }

  /** @param uses clusters of each workload; pods of one use the same, since an operator remembers that and sends it ahead */
  async connect(server: ServerPlace, uses: readonly (readonly string[])[]): Promise<void> {
    await this.child.next();
    for (let first = 0; first < this.pods.length; first += WAVE) {
      const count = Math.min(WAVE, this.pods.length - first);
      const turn = Array.from({ length: count }, (_, nth) => uses[(first + nth) % uses.length] ?? []);
      const pods = this.pods;
      await this.child.ask({ kind: 'connect', server, first, count, uses: turn, lasting: 'well', pods });
    }
  }

  /** Has them report requests from now on. */
  async report(reports: readonly ProxiesReport[]): Promise<void> {
    await this.child.ask({ kind: 'report', reports });
  }

  async holdings(): Promise<readonly Holding[]> {
    const request = { kind: 'holdings', first: 0, count: this.pods.length };
    return (await this.child.ask<{ readonly holdings: readonly Holding[] }>(request)).holdings;
  }

  stop(): Promise<void> {
    return this.child.stop();
  }
}
