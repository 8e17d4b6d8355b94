import { HEALTH_PORT, INBOUND_PORT, METRICS_PORT, OUTBOUND_PORT, PROBE_PORT } from '../../proxy/ports.ts';
import type { Hostname, MeshService, OutboundPolicy, ServicePort } from '../mesh/snapshot.ts';
import { BackendResolution, type ResolutionSources } from './backend-resolution.ts';
import type { Client } from './clients.ts';
import { cutTcpRules, cutTlsRules } from './http-rules.ts';
import { OUTBOUND_LISTENER, portListener, portOfListener } from './names.ts';
import { translateOutboundListener } from './outbound-listener.ts';
import { buildOutboundTarget, type OutboundTarget } from './outbound-target.ts';
import { translatePortListener } from './port-listener.ts';
import type { XdsResource } from './resource.ts';
import type { Scope } from './scope.ts';
import { routablePorts } from './service-variant.ts';
import type { VersionLog } from './version-log.ts';

/** The proxy itself listens there; two listeners of one port are refused by Envoy. Connections to such ports of others pass through. */
const TAKEN = new Set([OUTBOUND_PORT, INBOUND_PORT, PROBE_PORT, HEALTH_PORT, METRICS_PORT]);

/** What of a client an outbound listener depends on. */
type View = Pick<Client, 'scope' | 'dualStack' | 'dnsCapture'>;

/** The targets of a port as some clients see them, and the listener made of them, once it was asked for. */
interface PortVariant {
  readonly view: View;
  /** JSON of the targets, by hostname. */
  readonly targets: Map<Hostname, string>;
  listener: XdsResource | undefined;
}

/** The outbound listeners, one per port on which some service has something. */
export class ListenerTable {
  private readonly sources: ResolutionSources;
  private readonly log: Pick<VersionLog, 'note'>;
  private readonly entrances = new Map<string, XdsResource>();
  /** Port → by what it depends on. */
  private readonly ports = new Map<number, Map<string, PortVariant>>();

  /** @param log is told of every version that is made */
  constructor(sources: ResolutionSources, log: Pick<VersionLog, 'note'>) {
    this.log = log;
    this.sources = sources;
  }

  /**
   * Takes in that something of a hostname differs.
   * @param ports that a service of the name had before or has now
   * @returns the names of the listeners that may differ now
   */
  set(hostname: Hostname, ports: Iterable<number>): string[] {
    const changed: string[] = [];
    for (const port of ports) {
      if (TAKEN.has(port)) continue;
      const variants = this.ports.get(port);
      // Where nobody has asked since clients were sorted, nothing is known to have stayed.
      let differs = variants === undefined || variants.size === 0;
      for (const variant of variants?.values() ?? []) {
        const target = this.target(variant.view, hostname, port);
        const text = target === undefined ? undefined : JSON.stringify(target);
        if (text === variant.targets.get(hostname)) continue;
        if (text === undefined) variant.targets.delete(hostname);
        else variant.targets.set(hostname, text);
        variant.listener = undefined;
        differs = true;
      }
      if (differs) changed.push(portListener(port));
    }
    return changed;
  }

  /** Forgets what was put together; to be called when clients are sorted into scopes anew. */
  regroup(): void {
    this.ports.clear();
  }

  get(name: string, client: View): XdsResource | undefined {
    if (name === OUTBOUND_LISTENER) return this.entrance(client.dualStack, client.scope.outboundPolicy);
    const port = portOfListener(name);
    if (port === undefined || TAKEN.has(port)) return undefined;
    const variant = this.variant(port, client);
    if (variant.targets.size === 0) return undefined;
    if (variant.listener === undefined) {
      variant.listener = this.build(port, variant);
      this.log.note(variant.listener.version);
    }
    return variant.listener;
  }

  /** Names of all outbound listeners that somebody may have. */
  names(): string[] {
    return [
      OUTBOUND_LISTENER,
      ...[...this.sources.hosts.allPorts()].filter((port) => !TAKEN.has(port)).map(portListener),
    ];
  }

  private entrance(dualStack: boolean, outboundPolicy: OutboundPolicy): XdsResource {
    const key = `${dualStack} ${outboundPolicy}`;
    const known = this.entrances.get(key) ?? translateOutboundListener({ dualStack, outboundPolicy });
    this.entrances.set(key, known);
    return known;
  }

  private variant(port: number, { scope, dualStack, dnsCapture }: View): PortVariant {
    const variants = this.ports.get(port) ?? new Map<string, PortVariant>();
    this.ports.set(port, variants);
    const key = `${dualStack} ${dnsCapture} ${scope.key}`;
    const known = variants.get(key);
    if (known !== undefined && known.view.scope === scope) return known;
    const view = { scope, dualStack, dnsCapture };
    const targets = new Map<Hostname, string>();
    for (const hostname of this.sources.hosts.onPort(port)) {
      const target = this.target(view, hostname, port);
      if (target !== undefined) targets.set(hostname, JSON.stringify(target));
    }
    const built: PortVariant = { view, targets, listener: undefined };
    variants.set(key, built);
    return built;
  }

  private build(port: number, { view, targets }: PortVariant): XdsResource {
    const { dualStack, scope } = view;
    // In the order of hostnames, so that the bytes do not depend on the order of events.
    const texts = [...targets].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text);
    const options = { dualStack, outboundPolicy: scope.outboundPolicy };
    const sameAs = [...(this.ports.get(port)?.values() ?? [])].find(
      (other) => other.listener !== undefined && isSame(other, { view, targets, listener: undefined }),
    );
    return (
      sameAs?.listener ??
      translatePortListener(
        port,
        texts.map((text) => JSON.parse(text) as OutboundTarget),
        options,
      )
    );
  }

  private target({ scope, dnsCapture }: View, hostname: Hostname, port: number): OutboundTarget | undefined {
    const service = scope.service(hostname);
    const found = service && routablePorts(service).find((one) => one.port === port);
    if (service === undefined || found === undefined || !scope.seesOnPort(service, port)) return undefined;
    return buildOutboundTarget(this.targetInput(scope, service, found, dnsCapture));
  }

  private targetInput(scope: Scope, service: MeshService, port: ServicePort, dnsCapture: boolean) {
    const rules = scope.rules(service.hostname);
    const resolution = new BackendResolution(this.sources, scope, port.port);
    return {
      service,
      port,
      endpoints: this.sources.services.endpoints(service.key),
      backend: resolution.resolve({ hostname: service.hostname, port: port.port }),
      tcp: rules.flatMap(({ tcp }) => cutTcpRules(tcp, port.port, scope.traits)),
      tls: rules.flatMap(({ tls }) => cutTlsRules(tls, port.port, scope.traits)),
      resolve: resolution.resolve.bind(resolution),
      dnsCapture,
    };
  }
}

/** Whether two variants make the same listener: it is encoded once, whoever it is for. */
function isSame(a: PortVariant, b: PortVariant): boolean {
  if (a.view.dualStack !== b.view.dualStack || a.view.scope.outboundPolicy !== b.view.scope.outboundPolicy)
    return false;
  if (a.targets.size !== b.targets.size) return false;
  for (const [hostname, text] of a.targets) if (b.targets.get(hostname) !== text) return false;
  return true;
}
