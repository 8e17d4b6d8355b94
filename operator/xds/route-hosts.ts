import type { Hostname } from '../mesh/snapshot.ts';
import type { EncodedHosts } from './encoded-hosts.ts';

/**
 * The virtual hosts of one route configuration, by hostname, each as if no other had its domains; and whether any do. So a route configuration is put
 * together anew at the cost of what is altered.
 */
export class RouteHosts {
  /** Undefined: these clients have nothing there. */
  private readonly known = new Map<Hostname, EncodedHosts | undefined>();
  /** Domain → number of hostnames that have it. */
  private readonly claims = new Map<string, number>();
  private doubles = 0;

  /** Whether two of the hostnames have a domain in common. Of use only once all were asked for. */
  get contested(): boolean {
    return this.doubles > 0;
  }

  /** @param build gives the virtual hosts of a hostname that is new, or was forgotten */
  get(hostname: Hostname, build: () => EncodedHosts | undefined): EncodedHosts | undefined {
    const known = this.known.get(hostname);
    if (known !== undefined || this.known.has(hostname)) return known;
    const built = build();
    this.known.set(hostname, built);
    for (const domain of built?.domains ?? []) this.claim(domain, 1);
    return built;
  }

  /** Something of the hostname differs. */
  forget(hostname: Hostname): void {
    for (const domain of this.known.get(hostname)?.domains ?? []) this.claim(domain, -1);
    this.known.delete(hostname);
  }

  private claim(domain: string, by: 1 | -1): void {
    const before = this.claims.get(domain) ?? 0;
    const after = before + by;
    if (after === 0) this.claims.delete(domain);
    else this.claims.set(domain, after);
    this.doubles += Number(after > 1) - Number(before > 1);
  }
}
