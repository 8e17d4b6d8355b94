import { readVirtualHost, routeConfigurationPort } from '../../operator/xds/names.ts';
import { readClusterName } from './cluster-name.ts';
import type { Held } from './config-dump.ts';
import type { Route, RouteConfiguration, VirtualHost } from './envoy-json.ts';
import { shorten } from './listeners.ts';
import type { Direction, Line, Section } from './section.ts';

/** A line for each route, in the order in which Envoy tries those of a host. */
export const ROUTES: Section = {
  header: ['name', 'domains', 'match', 'destination'],
  wide: ['virtual host', 'route', 'timeout', 'retries', 'state'],
  lines: ({ routes }) => routes.flatMap(linesOf),
};

function linesOf({ resource, state }: Held<RouteConfiguration>): Line[] {
  const name = resource.name ?? '-';
  return (resource.virtual_hosts ?? []).flatMap((host) =>
    (host.routes ?? []).map((route) => ({
      facts: factsOf(name, host),
      cells: [name, shorten(host.domains ?? [], 2), matchOf(route), destinationOf(route)],
      wide: [
        host.name ?? '-',
        route.name ?? '-',
        timeoutOf(route),
        `${route.route?.retry_policy?.num_retries ?? '-'}`,
        state,
      ],
      raw: resource,
    })),
  );
}

function factsOf(name: string, { name: host = '', domains = [] }: VirtualHost): Line['facts'] {
  const outbound = routeConfigurationPort(name);
  const own = readVirtualHost(host);
  const direction: Direction | undefined =
    outbound !== undefined ? 'outbound' : name.startsWith('inbound|') ? 'inbound' : undefined;
  const port = outbound ?? (direction === 'inbound' ? readClusterName(name).port : undefined);
  return { port, direction, hosts: [...(own === undefined ? [] : [own.hostname]), ...domains] };
}

/** `/cart*`, `/cart`, `~/v[12]/.*`, and what else a request must have. */
function matchOf({ match = {} }: Route): string {
  const { prefix, path, path_separated_prefix: part, safe_regex: pattern, headers = [], query_parameters = [] } = match;
  const where =
    path ?? (part !== undefined ? `${part}/*` : pattern !== undefined ? `~${pattern.regex}` : `${prefix ?? '/'}*`);
  const names = [
    ...headers.map(({ name }) => name ?? ''),
    ...query_parameters.map(({ name }) => `?${name ?? ''}`),
  ].filter((name) => name !== '');
  return names.length === 0 ? where : `${where} with ${names.join(', ')}`;
}

function destinationOf({ route, redirect, direct_response: answer }: Route): string {
  if (redirect !== undefined) return 'redirect';
  if (answer !== undefined) return `answer ${answer.status ?? ''}`;
  const shares = route?.weighted_clusters?.clusters;
  if (shares !== undefined) return shares.map(({ name, weight = 0 }) => `${name} (${weight})`).join(', ');
  return route?.cluster ?? (route?.cluster_header === undefined ? '-' : `by header ${route.cluster_header}`);
}

/** Envoy's 0 is no limit. */
function timeoutOf({ route }: Route): string {
  if (route?.timeout === undefined) return '-';
  return Number.parseFloat(route.timeout) === 0 ? 'none' : route.timeout;
}
