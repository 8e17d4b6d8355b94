import { HEALTH_PORT, INBOUND_PORT, METRICS_PORT, OUTBOUND_PORT, PROBE_PORT } from '../../proxy/ports.ts';
import { KeySets } from '../mesh/key-sets.ts';
import type { Hostname } from '../mesh/snapshot.ts';
import { buildAccessLoggers } from './access-loggers.ts';
import type { ResolutionSources } from './backend-resolution.ts';
import { type Clients, type View, viewKey } from './clients.ts';
import { type DnsHost, translateDnsListener } from './dns-listener.ts';
import { describeDnsHost, describeTarget } from './listener-items.ts';
import {
  boundListener,
  DNS_LISTENER,
  OUTBOUND_LISTENER,
  portListener,
  portOfListener,
  readBoundListener,
} from './names.ts';
import { translateOutboundListener } from './outbound-listener.ts';
import type { OutboundTarget } from './outbound-target.ts';
import { translatePortListener } from './port-listener.ts';
import type { XdsResource } from './resource.ts';
import type { Scope } from './scope.ts';
import type { VersionLog } from './version-log.ts';

/** The proxy itself listens there; two listeners of one port are refused by Envoy. Connections to such ports of others pass through. */
const TAKEN = new Set([OUTBOUND_PORT, INBOUND_PORT, PROBE_PORT, HEALTH_PORT, METRICS_PORT]);

/** So many entrances are remembered: one for each way in which clients differ. */
const MAX_ENTRANCES = 100;

/** A listener as some clients see it: what each hostname adds to it, and, once it was asked for, itself. */
interface Variant {
  readonly view: View;
  /** JSON, by hostname. */
  readonly items: Map<Hostname, string>;
  listener: XdsResource | undefined;
}

/**
 * The outbound listeners: one per port on which some service has something, those of Sidecars that clients connect to themselves, and the one that
 * answers DNS.
 */
export class ListenerTable {
  private readonly sources: ResolutionSources;
  private readonly log: Pick<VersionLog, 'note'>;
  private readonly clients: Pick<Clients, 'views'>;
  private readonly entrances = new Map<string, XdsResource>();
  /** Name → by what it depends on. */
  private readonly listeners = new Map<string, Map<string, Variant>>();
  /** Some client had its sidecar answer DNS. */
  private capturesDns = false;
  /** Listeners that clients connect to themselves, by port. */
  private readonly bound = new KeySets<number, string>();

  /**
   * @param log is told of every version that is made
   * @param clients that have listeners
   */
  constructor(sources: ResolutionSources, log: Pick<VersionLog, 'note'>, clients: Pick<Clients, 'views'>) {
    this.sources = sources;
    this.log = log;
    this.clients = clients;
  }

  /**
   * Takes in that something of a hostname differs.
   * @param ports that a service of the name had before or has now
   * @returns the names of the listeners that may differ now
   */
  set(hostname: Hostname, ports: Iterable<number>): string[] {
    const names = [...ports]
      .filter((port) => !TAKEN.has(port))
      .flatMap((port) => [portListener(port), ...this.bound.get(port)]);
    return [...names, DNS_LISTENER].filter((name) => this.refresh(name, hostname));
  }

  /** Forgets what was put together; to be called when clients are sorted into scopes anew. */
  regroup(): void {
    this.listeners.clear();
    this.bound.clear();
  }

  get(name: string, client: View): XdsResource | undefined {
    if (name === OUTBOUND_LISTENER) return this.entrance(client);
    if (!mayHave(client, name)) return undefined;
    this.capturesDns ||= name === DNS_LISTENER;
    const variant = this.variant(name, client);
    // A pod whose questions are captured must have them answered, whatever the mesh knows.
    if (variant.items.size === 0 && name !== DNS_LISTENER) return undefined;
    if (variant.listener === undefined) {
      variant.listener = this.shared(name, variant) ?? translate(name, variant);
      this.log.note(variant.listener.version);
    }
    return variant.listener;
  }

  /** Whether a client has HTTP on a port: only then does its proxy ask for the routes of it. */
  hasHttp(port: number, client: View): boolean {
    const bound = client.scope.boundListeners().filter((one) => one.port === port);
    const names = [
      ...(TAKEN.has(port) ? [] : [portListener(port)]),
      ...bound.map(({ address }) => boundListener(address, port)),
    ];
    return names.some((name) => {
      for (const text of this.variant(name, client).items.values()) {
        if ((JSON.parse(text) as OutboundTarget).mode !== 'tcp') return true;
      }
      return false;
    });
  }

  /** Names of all outbound listeners that clients of the scopes may have. */
  names(scopes: Iterable<Scope>): string[] {
    const names = new Set([OUTBOUND_LISTENER, DNS_LISTENER]);
    for (const port of this.sources.hosts.allPorts()) if (!TAKEN.has(port)) names.add(portListener(port));
    for (const scope of scopes) {
      for (const { address, port } of scope.boundListeners()) names.add(boundListener(address, port));
    }
    return [...names];
  }

  private entrance({ dualStack, scope: { outboundPolicy }, telemetry }: View): XdsResource {
    const key = `${dualStack} ${outboundPolicy} ${telemetry?.key ?? ''}`;
    const known = this.entrances.get(key);
    if (known !== undefined) return known;
    const accessLogs = telemetry === undefined ? [] : buildAccessLoggers(telemetry.client.accessLogs, telemetry);
    const built = translateOutboundListener({
      dualStack,
      outboundPolicy,
      accessLogs,
      tagged: telemetry?.client.tagged,
    });
    // What was told before somebody changed it is nobody's any more.
    if (this.entrances.size >= MAX_ENTRANCES) this.entrances.clear();
    this.entrances.set(key, built);
    return built;
  }

  /** Whether a listener may differ now for somebody, for what a hostname adds to it differs. */
  private refresh(name: string, hostname: Hostname): boolean {
    if (name === DNS_LISTENER && !this.capturesDns) return false;
    const variants = this.listeners.get(name) ?? new Map<string, Variant>();
    const { views } = this.clients;
    let differs = false;
    for (const [key, variant] of variants) {
      // Scopes that nobody is of any more know nothing new.
      if (views.get(key)?.scope !== variant.view.scope) {
        variants.delete(key);
        differs = true;
        continue;
      }
      const text = this.item(name, variant.view, hostname);
      if (text === variant.items.get(hostname)) continue;
      if (text === undefined) variant.items.delete(hostname);
      else variant.items.set(hostname, text);
      variant.listener = undefined;
      differs = true;
    }
    // Of whoever has not asked since clients were sorted, nothing is known to have stayed.
    for (const [key, view] of views) differs ||= mayHave(view, name) && !variants.has(key);
    return differs;
  }

  private variant(name: string, { scope, dualStack, dnsCapture, onDemand, telemetry }: View): Variant {
    const view = { scope, dualStack, dnsCapture, onDemand, telemetry };
    const variants = this.listeners.get(name) ?? new Map<string, Variant>();
    this.listeners.set(name, variants);
    const key = viewKey(view);
    const known = variants.get(key);
    if (known !== undefined && known.view.scope === scope) return known;
    const built: Variant = { view, items: new Map(), listener: undefined };
    for (const hostname of this.hostnames(name)) {
      const text = this.item(name, view, hostname);
      if (text !== undefined) built.items.set(hostname, text);
    }
    variants.set(key, built);
    return built;
  }

  /** All that may add something to a listener. */
  private hostnames(name: string): Iterable<Hostname> {
    const bound = readBoundListener(name);
    if (bound !== undefined) this.bound.add(bound.port, name);
    const port = bound?.port ?? portOfListener(name);
    return port === undefined ? this.sources.hosts.hostnames() : this.sources.hosts.onPort(port);
  }

  private item(name: string, { scope, dnsCapture }: View, hostname: Hostname): string | undefined {
    const bound = readBoundListener(name);
    const port = bound?.port ?? portOfListener(name);
    const item =
      port === undefined
        ? describeDnsHost(scope, hostname)
        : describeTarget(this.sources, { scope, dnsCapture }, hostname, port, bound?.address);
    return item === undefined ? undefined : JSON.stringify(item);
  }

  /** The listener of clients who see the same: it is encoded once, whoever it is for. */
  private shared(name: string, variant: Variant): XdsResource | undefined {
    for (const other of this.listeners.get(name)?.values() ?? []) {
      if (other.listener !== undefined && isSame(other, variant)) return other.listener;
    }
    return undefined;
  }
}

function translate(name: string, { view, items }: Variant): XdsResource {
  const { dualStack, scope, onDemand, telemetry } = view;
  // In the order of hostnames, so that the bytes do not depend on the order of events.
  const texts = [...items].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text);
  if (name === DNS_LISTENER) {
    return translateDnsListener(
      texts.map((text) => JSON.parse(text) as DnsHost),
      dualStack,
    );
  }
  const bound = readBoundListener(name);
  const targets = texts.map((text) => JSON.parse(text) as OutboundTarget);
  return translatePortListener(bound?.port ?? portOfListener(name) ?? 0, targets, {
    dualStack,
    onDemand,
    outboundPolicy: scope.outboundPolicy,
    normalization: scope.normalization,
    telemetry,
    ...(bound === undefined ? {} : { bind: { address: bound.address, name } }),
  });
}

/** Whether a client may have a listener, of those that hostnames add something to. */
function mayHave({ scope, dnsCapture }: View, name: string): boolean {
  if (name === DNS_LISTENER) return dnsCapture;
  const port = portOfListener(name);
  if (port !== undefined) return !TAKEN.has(port) && !isBoundToAll(scope, port);
  const bound = readBoundListener(name);
  return bound !== undefined && isBound(scope, bound);
}

function isBound(scope: Scope, { address, port }: { readonly address: string; readonly port: number }): boolean {
  return scope.boundListeners().some((one) => one.address === address && one.port === port);
}

/** A listener for connections that were made to any address: Envoy hands redirected ones to it too, and refuses another of the same address. */
function isBoundToAll(scope: Scope, port: number): boolean {
  return isBound(scope, { address: '0.0.0.0', port }) || isBound(scope, { address: '::', port });
}

function isSame(a: Variant, b: Variant): boolean {
  if (a.view.dualStack !== b.view.dualStack || a.view.onDemand !== b.view.onDemand) return false;
  if (a.view.telemetry?.key !== b.view.telemetry?.key) return false;
  if (a.view.scope.outboundPolicy !== b.view.scope.outboundPolicy) return false;
  if (a.items.size !== b.items.size) return false;
  for (const [hostname, text] of a.items) if (b.items.get(hostname) !== text) return false;
  return true;
}
