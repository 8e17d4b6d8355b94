import { ADMIN_PORT } from '../../../proxy/ports.ts';
import type { TestNamespace } from './namespace.ts';
import { Client } from './testbed-client.ts';

/** An endpoint of a cluster, as Envoy sees it. */
export interface ProxyEndpoint {
  /** `IP:PORT`, or a pipe's or an internal listener's name. */
  readonly address: string;
  readonly weight: number;
  readonly priority: number;
  /** `region/zone/subzone`, without the empty ones at the end. */
  readonly locality: string;
  /** What keeps it from being used, e.g. `failed_outlier_check`; empty: nothing. */
  readonly failures: readonly string[];
  /** Counters and gauges of the endpoint: `cx_active`, `rq_total`, `rq_error`, … */
  readonly stats: Readonly<Record<string, number>>;
}

/** Members of Envoy's ConfigDump, as `config_dump?resource=` takes them. */
export type DumpResource =
  | 'dynamic_active_clusters'
  | 'dynamic_warming_clusters'
  | 'dynamic_listeners'
  | 'dynamic_route_configs'
  | 'dynamic_endpoint_configs'
  | 'static_clusters'
  | 'static_listeners';

interface HostStatus {
  readonly address?: {
    readonly socket_address?: { readonly address: string; readonly port_value: number };
    readonly pipe?: { readonly path: string };
    readonly envoy_internal_address?: { readonly server_listener_name: string; readonly endpoint_id?: string };
  };
  readonly stats?: readonly { readonly name: string; readonly value?: string | number }[];
  readonly health_status?: Readonly<Record<string, unknown>>;
  readonly weight?: number;
  readonly priority?: number;
  readonly locality?: { readonly region?: string; readonly zone?: string; readonly sub_zone?: string };
}

/** Envoy's admin interface of a testbed pod, asked from inside the pod. */
export class ProxyAdmin {
  readonly #client: Client;

  constructor(namespace: TestNamespace, target: string) {
    this.#client = new Client(namespace, target);
  }

  /** Gets a path of the admin interface. @throws {Error} when it does not answer 200 */
  get(path: string): Promise<string> {
    return this.#ask('GET', path);
  }

  /** Posts to a path of the admin interface, e.g. `/reset_counters`. @throws {Error} when it does not answer 200 */
  post(path: string): Promise<string> {
    return this.#ask('POST', path);
  }

  /** Counters and gauges whose name matches, by name. @param filter regular expression in RE2 syntax */
  async stats(filter: string): Promise<Readonly<Record<string, number>>> {
    const text = await this.get(`/stats?filter=${encodeURIComponent(filter)}`);
    const pairs = text.split('\n').map((line): [string, number] => {
      const at = line.lastIndexOf(': ');
      return [line.slice(0, at), Number(line.slice(at + 2))];
    });
    return Object.fromEntries(pairs.filter(([name, value]) => name !== '' && !Number.isNaN(value)));
  }

  /** Sum of the counters whose name matches. */
  async total(filter: string): Promise<number> {
    return Object.values(await this.stats(filter)).reduce((sum, value) => sum + value, 0);
  }

  /**
   * Part of the configuration that is in force, in Envoy's JSON.
   * @param name regular expression, in RE2 syntax, that finds part of the resources' names; default all
   * @returns the dump's entries, e.g. `{ cluster: { name, … }, version_info }`; endpoints have no version
   */
  async config<T = Readonly<Record<string, unknown>>>(resource: DumpResource, name = ''): Promise<readonly T[]> {
    const query = new URLSearchParams({ resource, ...(name !== '' && { name_regex: `.*(${name}).*` }) });
    if (resource === 'dynamic_endpoint_configs') query.set('include_eds', '');
    const { configs = [] } = JSON.parse(await this.get(`/config_dump?${query}`)) as { configs?: T[] };
    return configs;
  }

  /** The endpoints of each cluster whose name begins as told, by the cluster's name; a known cluster without any has an empty list. */
  async endpoints(clusterPrefix: string): Promise<ReadonlyMap<string, readonly ProxyEndpoint[]>> {
    const { cluster_statuses: clusters = [] } = JSON.parse(await this.get('/clusters?format=json')) as {
      cluster_statuses?: { name: string; host_statuses?: HostStatus[] }[];
    };
    const wanted = clusters.filter(({ name }) => name.startsWith(clusterPrefix));
    return new Map(wanted.map(({ name, host_statuses: hosts = [] }) => [name, hosts.map(readHost)]));
  }

  async #ask(method: string, path: string): Promise<string> {
    const { status, body, error } = await this.#client.http(`http://127.0.0.1:${ADMIN_PORT}${path}`, { method });
    if (status !== 200 || body === undefined) throw new Error(`Envoy admin ${path}: ${status ?? error}`);
    return body;
  }
}

function readHost({ address, stats = [], health_status: health = {}, ...host }: HostStatus): ProxyEndpoint {
  const { socket_address: socket, pipe, envoy_internal_address: internal } = address ?? {};
  const { region = '', zone = '', sub_zone: subZone = '' } = host.locality ?? {};
  return {
    address: socket
      ? `${socket.address}:${socket.port_value}`
      : (pipe?.path ?? `${internal?.server_listener_name}/${internal?.endpoint_id ?? ''}`),
    weight: host.weight ?? 1,
    priority: host.priority ?? 0,
    locality: [region, zone, subZone].join('/').replace(/\/+$/, ''),
    failures: Object.keys(health).filter((name) => health[name] === true),
    stats: Object.fromEntries(stats.map(({ name, value = 0 }) => [name, Number(value)])),
  };
}
