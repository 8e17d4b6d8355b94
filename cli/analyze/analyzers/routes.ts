import type { MeshSnapshot } from '../../../operator/mesh/snapshot.ts';
import { routablePorts } from '../../../operator/xds/routable-ports.ts';
import type { Analyzer } from '../context.ts';

/** Destinations without a port, of which nobody can tell which is meant: there are several, and not that of the host. */
export const analyzeRoutes: Analyzer = function* ({ snapshot }) {
  for (const { object, hosts, http } of snapshot.routeRules.values()) {
    const told = new Set<string>();
    for (const [index, { action }] of http.entries()) {
      if (action.kind !== 'forward') continue;
      for (const [place, { hostname, port }] of action.backends.entries()) {
        const ports = portsOf(snapshot, hostname);
        if (port !== undefined || ports.length < 2 || told.has(hostname)) continue;
        const own = hosts.flatMap((host) => portsOf(snapshot, host));
        if (own.length > 0 && own.every((one) => ports.includes(one))) continue;
        told.add(hostname);
        const field = `spec.http[${index}].route[${place}].destination`;
        const message = `This VirtualService routes to a service "${hostname}" that exposes multiple ports ${ports.join(', ')}. Specifying a port in the destination is required to disambiguate.`;
        yield { code: 'IST0112', object, field, message };
      }
    }
  }
};

function portsOf({ services }: MeshSnapshot, hostname: string): number[] {
  const service = services.get(hostname);
  return service === undefined ? [] : routablePorts(service).map(({ port }) => port);
}
