import { join } from 'node:path';
import type { JsonObject, JsonValue, Registry } from '@bufbuild/protobuf';
import { ROOT_SECRET, WORKLOAD_SECRET } from '../../../proxy/names.ts';
import { buildRuntime } from '../../../proxy/runtime.ts';
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  LISTENER_TYPE,
  type ProxyIdentity,
  type ResourceSource,
  ROUTE_TYPE,
  VIRTUAL_HOST_TYPE,
} from '../resource.ts';
import { asObject, resourceJson } from './resource-json.ts';

/** What the init container writes for the sidecar (`proxy/refusal-budget.ts`). */
export const REFUSAL_BUDGET_FIXTURE = join(import.meta.dirname, 'refusal-budget.json');

/** Key material for all secrets: the two that the certificates' source would send, and those that DestinationRules name. */
export interface StaticSecrets {
  readonly certificate: string;
  readonly key: string;
  readonly roots: string;
}

/**
 * What a proxy would receive by ADS, as one static bootstrap that `envoy --mode validate` (or a run without a control plane) takes: endpoints
 * within their clusters, routes within their listeners, secrets by name, and in place of files of the sidecar what they may hold.
 */
export function buildStaticBootstrap(
  source: ResourceSource,
  proxy: ProxyIdentity,
  registry: Registry,
  secrets: StaticSecrets,
): JsonObject {
  const resources = (typeUrl: string): JsonObject[] =>
    [...source.wildcard(proxy, typeUrl).values()].map((resource) => resourceJson(resource, registry));
  const credentials = new Set<string>();
  const inline = (value: JsonValue): JsonValue => {
    if (Array.isArray(value)) return value.map(inline);
    if (typeof value !== 'object' || value === null) return value;
    const object = Object.fromEntries(
      Object.entries(value).map(([key, child]) => [key, inlineFile(key, child, secrets) ?? inline(child)]),
    );
    if (object.path_config_source !== undefined) object.path_config_source = { path: REFUSAL_BUDGET_FIXTURE };
    // A list of revoked certificates, which a file that is not there can't hold.
    if (typeof object.crl === 'object') delete object.crl;
    // There is nobody to ask for clusters; all that the proxy is sent are there.
    delete object.odcds;
    if ('sds_config' in object) {
      delete object.sds_config;
      credentials.add(String(object.name));
    }
    if (object.rds !== undefined) return inlineRoutes(object, asObject(object.rds));
    return object;
  };
  const inlineRoutes = (manager: JsonObject, rds: JsonObject): JsonObject => {
    const routes = source.lookup(proxy, ROUTE_TYPE, String(rds.route_config_name));
    if (routes === undefined) throw new Error(`a listener wants route configuration ${String(rds.route_config_name)}`);
    const { rds: _, ...rest } = manager;
    const { vhds: __, ...configuration } = resourceJson(routes, registry);
    const hosts = resources(VIRTUAL_HOST_TYPE).filter(({ name }) => String(name).startsWith(`${routes.name}/`));
    return { ...rest, route_config: { ...configuration, virtual_hosts: hosts } };
  };
  const assignments = new Map(resources(ENDPOINT_TYPE).map((assignment) => [assignment.cluster_name, assignment]));
  const listeners = resources(LISTENER_TYPE).map((listener) => asObject(inline(listener)));
  const clusters = resources(CLUSTER_TYPE).map((cluster) => inlineEndpoints(asObject(inline(cluster)), assignments));
  // Whoever subscribes to a file must have a name.
  const node = { id: 'sidecar', cluster: 'test' };
  return {
    node,
    // The tap filter needs one, as every sidecar has.
    admin: { address: { socket_address: { address: '127.0.0.1', port_value: 0 } } },
    ...buildRuntime(),
    static_resources: { listeners, clusters, secrets: buildSecrets(secrets, credentials) },
  };
}

/** What stands in place of a file that a TLS context reads; undefined for anything else. */
function inlineFile(key: string, value: JsonValue, secrets: StaticSecrets): JsonValue | undefined {
  const contents = new Map([
    ['trusted_ca', secrets.roots],
    ['certificate_chain', secrets.certificate],
    ['private_key', secrets.key],
  ]).get(key);
  const isFile = typeof value === 'object' && value !== null && !Array.isArray(value) && 'filename' in value;
  return contents !== undefined && isFile ? { inline_string: contents } : undefined;
}

function inlineEndpoints(cluster: JsonObject, assignments: ReadonlyMap<JsonValue | undefined, JsonObject>): JsonObject {
  if (cluster.type !== 'EDS') return cluster;
  const assignment = assignments.get(cluster.name);
  if (assignment === undefined) throw new Error(`cluster ${String(cluster.name)} has no load assignment`);
  const { eds_cluster_config: _, ...rest } = cluster;
  return { ...rest, type: 'STATIC', load_assignment: assignment };
}

/** @param names of secrets that something refers to; by those of `credentialName`, authorities end in `-cacert` */
function buildSecrets({ certificate, key, roots }: StaticSecrets, names: ReadonlySet<string>): JsonObject[] {
  return [...new Set([WORKLOAD_SECRET, ROOT_SECRET, ...names])].map((name) =>
    name === ROOT_SECRET || name.endsWith('-cacert')
      ? { name, validation_context: { trusted_ca: { inline_string: roots } } }
      : {
          name,
          tls_certificate: { certificate_chain: { inline_string: certificate }, private_key: { inline_string: key } },
        },
  );
}
