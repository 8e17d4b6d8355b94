import { create } from '@bufbuild/protobuf';
import {
  type RetryPolicy,
  type Route,
  RouteSchema,
  type VirtualHost,
  VirtualHostSchema,
} from '../../generated/envoy/envoy/config/route/v3/route_components_pb.js';
import type { MeshService, OutboundPolicy } from '../mesh/snapshot.ts';
import type { Share } from './destination.ts';
import { milliseconds } from './encoding.ts';
import type { RouteContext } from './http-route-context.ts';
import { buildHttpRoutes } from './http-routes.ts';
import { PASSTHROUGH_CLUSTER } from './names.ts';

/** From where a host is asked for: short names resolve in the client's own namespace only. */
export type HostScope = 'home' | 'foreign';

/** What Istio answers, in HTTP, for hosts that are not in its registry where it lets only those pass. */
const UNKNOWN_HOST_STATUS = 502;

/**
 * The names clients know a service by, without ports (route configurations ignore them).
 *
 * @param prefix '' for the service itself, '*.' for the pods of a headless one
 */
export function hostDomains(service: MeshService, scope: HostScope, prefix = ''): string[] {
  const { name, namespace, hostname, kind } = service;
  const domains = kind === 'Entry' ? [hostname] : [hostname, `${name}.${namespace}.svc`, `${name}.${namespace}`];
  if (scope === 'home' && kind !== 'Entry') domains.push(name);
  const single = service.addresses.filter((address) => !address.includes('/'));
  const addresses = prefix === '' ? [...new Set(single)].map(hostLiteral) : [];
  return [...domains.map((domain) => `${prefix}${domain}`), ...addresses];
}

/** Whether names of single pods may stand before the service's: of a headless one, or of one that stands for another, which may be. */
export function mayNamePods({ kind }: MeshService): boolean {
  return kind === 'Headless' || kind === 'ExternalName';
}

function hostLiteral(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

export function buildVirtualHost(name: string, domains: readonly string[], routes: Route[]): VirtualHost {
  return create(VirtualHostSchema, { name, domains: [...domains], routes });
}

/** Hosts that the mesh does not know go where the client wanted to, or are refused. @param domain of one of these; absent: of them all */
export function buildUnknownHost(name: string, policy: OutboundPolicy, domain = '*'): VirtualHost {
  if (policy === 'ALLOW_ANY') {
    return buildVirtualHost(name, [domain], [buildRoute([{ cluster: PASSTHROUGH_CLUSTER, weight: 100 }])]);
  }
  const action = { kind: 'respond', status: UNKNOWN_HOST_STATUS } as const;
  return buildVirtualHost(name, [domain], buildHttpRoutes([{ name: '', matches: [], action, mirrors: [] }], NOTHING));
}

/** For rules that lead nowhere. */
const NOTHING: RouteContext = {
  port: 0,
  resolve: () => ({ shares: [], hashPolicies: [] }),
  mirrorCluster: () => '',
};

/** A route for every request: no timeout, since the application's callers knew none before. */
export function buildRoute(shares: readonly Share[], retryPolicy?: RetryPolicy): Route {
  const [only, ...others] = shares;
  return create(RouteSchema, {
    name: 'default',
    match: { pathSpecifier: { case: 'prefix', value: '/' } },
    action: {
      case: 'route',
      value: {
        clusterSpecifier:
          only !== undefined && others.length === 0
            ? { case: 'cluster', value: only.cluster }
            : {
                case: 'weightedClusters',
                value: { clusters: shares.map(({ cluster, weight }) => ({ name: cluster, weight })) },
              },
        timeout: milliseconds(0),
        ...(retryPolicy === undefined ? {} : { retryPolicy }),
      },
    },
  });
}
