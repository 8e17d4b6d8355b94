import { CliError } from '../cli-error.ts';
import type { PodHttp } from '../forward/pod-http.ts';
import type { Cluster, ClusterStatus, Listener, RouteConfiguration, Secret } from './envoy-json.ts';

/** Where a part of the configuration stands in Envoy: from the bootstrap; in use; still being prepared; refused. */
export type State = 'static' | 'active' | 'warming' | 'draining' | 'failed';

/** A resource as Envoy has it. */
export interface Held<T> {
  readonly resource: T;
  readonly state: State;
  /** As the operator numbered it; '' of static ones. */
  readonly version: string;
  /** Why Envoy refused a newer one; undefined: it did not. */
  readonly error?: string;
}

/** What a sidecar has. */
export interface ProxyConfig {
  readonly bootstrap: unknown;
  readonly listeners: readonly Held<Listener>[];
  readonly routes: readonly Held<RouteConfiguration>[];
  readonly clusters: readonly Held<Cluster>[];
  readonly secrets: readonly Held<Secret>[];
  /** Endpoints as they are at this moment, with their health. */
  readonly endpoints: readonly ClusterStatus[];
}

type Item = Readonly<Record<string, unknown>>;

/** Reads the whole configuration of a sidecar. @throws {CliError} when it does not answer */
export async function readProxyConfig(admin: PodHttp): Promise<ProxyConfig> {
  const dump = await admin.json<{ configs?: readonly Item[] }>('/config_dump');
  const { cluster_statuses = [] } = await admin.json<{ cluster_statuses?: readonly ClusterStatus[] }>(
    '/clusters?format=json',
  );
  return parseProxyConfig(dump, cluster_statuses);
}

/** @param dump Envoy's ConfigDump @param endpoints what `/clusters` says @throws {CliError} when they are something else */
export function parseProxyConfig(
  dump: { readonly configs?: readonly Item[] },
  endpoints: readonly ClusterStatus[],
): ProxyConfig {
  const { configs } = dump;
  if (!Array.isArray(configs) || !Array.isArray(endpoints))
    throw new CliError('the sidecar answers with no configuration');
  const part = (type: string): Item => configs.find((config) => String(config['@type']).endsWith(`.v3.${type}`)) ?? {};
  const [listeners, routes, clusters, secrets] = [
    part('ListenersConfigDump'),
    part('RoutesConfigDump'),
    part('ClustersConfigDump'),
    part('SecretsConfigDump'),
  ];
  return {
    bootstrap: part('BootstrapConfigDump').bootstrap ?? {},
    listeners: [...held<Listener>(listeners.static_listeners, 'listener', 'static'), ...dynamicListeners(listeners)],
    routes: [
      ...held<RouteConfiguration>(routes.static_route_configs, 'route_config', 'static'),
      ...held<RouteConfiguration>(routes.dynamic_route_configs, 'route_config', 'active'),
    ],
    clusters: [
      ...held<Cluster>(clusters.static_clusters, 'cluster', 'static'),
      ...held<Cluster>(clusters.dynamic_active_clusters, 'cluster', 'active'),
      ...held<Cluster>(clusters.dynamic_warming_clusters, 'cluster', 'warming'),
    ],
    secrets: [
      ...held<Secret>(secrets.static_secrets, 'secret', 'static'),
      ...held<Secret>(secrets.dynamic_active_secrets, 'secret', 'active'),
      ...held<Secret>(secrets.dynamic_warming_secrets, 'secret', 'warming'),
    ],
    endpoints,
  };
}

function held<T>(items: unknown, field: string, state: State): Held<T>[] {
  if (!Array.isArray(items)) return [];
  return (items as Item[]).flatMap((item) => {
    const resource = item[field];
    // A resource of which Envoy has only a refused version comes without one.
    if (typeof resource !== 'object' || resource === null) return [];
    const details = (item.error_state as { details?: string } | undefined)?.details;
    const version = String(item.version_info ?? '');
    return [{ resource: resource as T, state, version, ...(details === undefined ? {} : { error: details }) }];
  });
}

/** Listeners have their states side by side. */
function dynamicListeners({ dynamic_listeners: items }: Item): Held<Listener>[] {
  if (!Array.isArray(items)) return [];
  return (items as Item[]).flatMap((item) => {
    const states = (['active', 'warming', 'draining'] as const).flatMap((state) => {
      const of = item[`${state}_state`];
      return of === undefined ? [] : held<Listener>([{ ...of, error_state: item.error_state }], 'listener', state);
    });
    if (states.length > 0 || item.error_state === undefined) return states;
    const resource: Listener = { name: String(item.name ?? '') };
    const error = String((item.error_state as { details?: string }).details ?? '');
    return [{ resource, state: 'failed' as const, version: '', error }];
  });
}
