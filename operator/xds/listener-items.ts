import type { Hostname } from '../mesh/snapshot.ts';
import { BackendResolution, type ResolutionSources } from './backend-resolution.ts';
import type { DnsHost } from './dns-listener.ts';
import { cutTcpRules, cutTlsRules } from './http-rules.ts';
import { buildOutboundTarget, type OutboundTarget } from './outbound-target.ts';
import { routablePorts } from './routable-ports.ts';
import type { Scope } from './scope.ts';

/**
 * What a hostname adds to the listener of a port for some clients; undefined when nothing.
 * @param bind address of a listener that clients connect to themselves; undefined: they are redirected
 */
export function describeTarget(
  sources: ResolutionSources,
  { scope, dnsCapture }: { readonly scope: Scope; readonly dnsCapture: boolean },
  hostname: Hostname,
  port: number,
  bind: string | undefined,
): OutboundTarget | undefined {
  const service = scope.service(hostname);
  const found = service && routablePorts(service).find((one) => one.port === port);
  if (service === undefined || found === undefined || !scope.seesOnPort(service, port, bind)) return undefined;
  const rules = scope.rules(hostname);
  const resolution = new BackendResolution(sources, scope, port);
  return buildOutboundTarget({
    service,
    port: found,
    endpoints: sources.services.endpoints(service.key),
    backend: resolution.resolve({ hostname, port }),
    tcp: rules.flatMap(({ tcp }) => cutTcpRules(tcp, port, scope.traits)),
    tls: rules.flatMap(({ tls }) => cutTlsRules(tls, port, scope.traits)),
    resolve: resolution.resolve.bind(resolution),
    dnsCapture,
  });
}

/**
 * What a sidecar that answers DNS says of a hostname: only ServiceEntries' hosts are in its table, for all others the cluster's own DNS is right.
 * Where clients choose the address themselves, it must be the real one.
 */
export function describeDnsHost(scope: Scope, hostname: Hostname): DnsHost | undefined {
  const service = scope.service(hostname);
  if (service?.kind !== 'Entry' || service.resolution === 'original-destination') return undefined;
  const single = service.addresses.filter((address) => !address.includes('/'));
  const addresses = service.addresses.length === 0 && service.dnsAddress !== undefined ? [service.dnsAddress] : single;
  return addresses.length === 0 ? undefined : { hostname, addresses };
}
