import type { MeshService, MeshSnapshot } from '../../operator/mesh/snapshot.ts';
import { inRange, readRange } from '../../operator/xds/address-range.ts';
import { multiplyShares } from '../../operator/xds/http-route-shares.ts';
import { routablePorts } from '../../operator/xds/routable-ports.ts';
import type { Call, Findings } from './explain-call.ts';
import { followHop, type HopCaller } from './hop.ts';
import type { OutboundView } from './outbound-view.ts';
import type { Outcome } from './outcome.ts';

/** Follows a connection of opaque bytes from its sidecar on. Rules by the name in a TLS handshake are not looked at, which is told. */
export function explainTcp(
  snapshot: MeshSnapshot,
  view: OutboundView,
  { caller, host, port, now }: Call,
  service: MeshService | undefined,
  notes: readonly string[],
): Findings {
  const base = { protocol: 'tcp' as const, passed: [], ...(service && { service }) };
  const isKnown = service !== undefined && routablePorts(service).some((one) => one.port === port);
  if (!isKnown || !view.seesOnPort(service, port))
    return { ...base, notes, outcomes: [unknown(view, `${host}:${port}`)] };
  const { rules, objects, byServerName } = view.tcpRules(service, port);
  const rule = rules.find(
    ({ matches }) => matches.length === 0 || matches.some(({ subnets }) => isIn(subnets, service.addresses)),
  );
  const object = objects.find(({ tcp }) => tcp.some(({ backends }) => backends === rule?.backends))?.object;
  const resolution = view.resolution(port);
  const backends = rule?.backends ?? [{ hostname: service.hostname, port, weight: 100 }];
  const shares = multiplyShares(backends, (backend) => resolution.resolve(backend).shares);
  const total = shares.reduce((sum, { weight }) => sum + weight, 0);
  const hopCaller: HopCaller = {
    spiffeId: caller.workload?.spiffeId,
    address: caller.address,
    now,
    failedStatus: undefined,
  };
  const outcomes = shares.flatMap(({ cluster, weight, backend }): Outcome[] => {
    const percent = (100 * weight) / total;
    const pool = view.pool(cluster);
    if (pool !== undefined) return followHop(snapshot, view, pool, hopCaller, undefined, percent);
    const message = `the route leads to ${backend.hostname}${backend.subset === undefined ? '' : `, subset ${backend.subset}`}, which is not there for this client`;
    return [{ percent, end: 'refused', at: 'client', reason: 'no-destination', message, ...(object && { object }) }];
  });
  const route =
    object === undefined ? [] : [`VirtualService ${object.namespace}/${object.name} says where the connection goes`];
  const unseen = byServerName.map(
    ({ object: { namespace, name } }) =>
      `a connection with TLS may go elsewhere: rules by server name (VirtualService ${namespace}/${name}, tls) are not looked at`,
  );
  return { ...base, outcomes, notes: [...notes, ...route, ...unseen] };
}

function isIn(subnets: readonly string[], addresses: readonly string[]): boolean {
  const ranges = subnets.flatMap((subnet) => readRange(subnet) ?? []);
  return subnets.length === 0 || addresses.some((address) => ranges.some((range) => inRange(address, range)));
}

function unknown(view: OutboundView, where: string): Outcome {
  if (view.client.scope.outboundPolicy === 'ALLOW_ANY') {
    return { percent: 100, end: 'outside', message: `the mesh does not know ${where}, and lets it pass (ALLOW_ANY)` };
  }
  const message = `the mesh does not know ${where}, and lets nothing else pass (REGISTRY_ONLY)`;
  return { percent: 100, end: 'refused', at: 'client', reason: 'unknown-host', message };
}
