import { HEALTH_PORT, INBOUND_PORT, METRICS_PORT, OUTBOUND_PORT, PROBE_PORT } from '../../proxy/ports.ts';
import type { Hostname } from '../mesh/snapshot.ts';
import { OUTBOUND_LISTENER, portListener, portOfListener } from './names.ts';
import { translateOutboundListener } from './outbound-listener.ts';
import type { OutboundTarget } from './outbound-target.ts';
import { translatePortListener } from './port-listener.ts';
import type { XdsResource } from './resource.ts';

/** The proxy itself listens there; two listeners of one port are refused by Envoy. Connections to such ports of others pass through. */
const TAKEN = new Set([OUTBOUND_PORT, INBOUND_PORT, PROBE_PORT, HEALTH_PORT, METRICS_PORT]);

interface PortTargets {
  readonly targets: Map<Hostname, OutboundTarget>;
  /** By whether the proxy is dual-stack; encoded when first asked for. */
  readonly built: Map<boolean, XdsResource>;
}

/** The outbound listeners of all proxies, one per port on which some service has something. */
export class ListenerTable {
  private readonly ports = new Map<number, PortTargets>();
  private readonly entrances = new Map([false, true].map((dual) => [dual, translateOutboundListener(dual)]));

  /** Takes the newest targets of a service; gives the names of the listeners that differ now. */
  set(hostname: Hostname, targets: readonly OutboundTarget[]): string[] {
    const changed: string[] = [];
    const wanted = new Map(targets.filter(({ port }) => !TAKEN.has(port)).map((target) => [target.port, target]));
    for (const [port, { targets: known, built }] of this.ports) {
      if (wanted.has(port) || !known.delete(hostname)) continue;
      built.clear();
      if (known.size === 0) this.ports.delete(port);
      changed.push(portListener(port));
    }
    for (const [port, target] of wanted) {
      const entry = this.ports.get(port) ?? { targets: new Map<Hostname, OutboundTarget>(), built: new Map() };
      this.ports.set(port, entry);
      if (JSON.stringify(entry.targets.get(hostname)) === JSON.stringify(target)) continue;
      entry.targets.set(hostname, target);
      entry.built.clear();
      changed.push(portListener(port));
    }
    return changed;
  }

  get(name: string, dualStack: boolean): XdsResource | undefined {
    if (name === OUTBOUND_LISTENER) return this.entrances.get(dualStack);
    const port = portOfListener(name);
    const entry = port === undefined ? undefined : this.ports.get(port);
    if (port === undefined || entry === undefined) return undefined;
    const known = entry.built.get(dualStack);
    if (known !== undefined) return known;
    // In the order of hostnames, so that the bytes do not depend on the order of events.
    const sorted = [...entry.targets].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, target]) => target);
    const built = translatePortListener(port, sorted, dualStack);
    entry.built.set(dualStack, built);
    return built;
  }

  /** Names of all outbound listeners. */
  names(): string[] {
    return [OUTBOUND_LISTENER, ...[...this.ports.keys()].map(portListener)];
  }
}
