import { create, toBinary } from '@bufbuild/protobuf';
import {
  type RetryPolicy,
  type Route,
  RouteSchema,
  VirtualHostSchema,
} from '../../generated/envoy/envoy/config/route/v3/route_components_pb.js';
import type { MeshService } from '../mesh/snapshot.ts';
import type { Share } from './destination.ts';
import { milliseconds } from './encoding.ts';
import { PASSTHROUGH_CLUSTER } from './names.ts';
import { buildRetryPolicy } from './retry-policies.ts';

/** From where a host is asked for: short names resolve in the client's own namespace only. */
export type HostScope = 'home' | 'foreign';

/**
 * The names clients know a service by, without ports (route configurations ignore them).
 *
 * @param prefix '' for the service itself, '*.' for the pods of a headless one
 */
export function serviceDomains(service: MeshService, scope: HostScope, prefix = ''): string[] {
  const { name, namespace, hostname } = service;
  const domains = [hostname, `${name}.${namespace}.svc`, `${name}.${namespace}`];
  if (scope === 'home') domains.push(name);
  const addresses = prefix === '' ? [...new Set(service.addresses)].map(hostLiteral) : [];
  return [...domains.map((domain) => `${prefix}${domain}`), ...addresses];
}

function hostLiteral(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** A virtual host, encoded, that sends everything to the shares. */
export function translateVirtualHost(name: string, domains: readonly string[], shares: readonly Share[]): Uint8Array {
  return toBinary(
    VirtualHostSchema,
    create(VirtualHostSchema, { name, domains: [...domains], routes: [buildRoute(shares, buildRetryPolicy())] }),
  );
}

/** Hosts that the mesh does not know go where the client wanted to. */
export function translatePassthroughHost(): Uint8Array {
  return toBinary(
    VirtualHostSchema,
    create(VirtualHostSchema, {
      name: 'allow_any',
      domains: ['*'],
      routes: [buildRoute([{ cluster: PASSTHROUGH_CLUSTER, weight: 100 }])],
    }),
  );
}

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
