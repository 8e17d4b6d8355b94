import { CANARY_KIND } from '../../api/canary.ts';
import { DESTINATION_RULE_KIND } from '../../api/destination-rule.ts';
import { SERVICE_ENTRY_KIND } from '../../api/service-entry.ts';
import { SIDECAR_KIND } from '../../api/sidecar.ts';
import { TELEMETRY_KIND } from '../../api/telemetry.ts';
import { VIRTUAL_SERVICE_KIND } from '../../api/virtual-service.ts';
import { WORKLOAD_ENTRY_KIND } from '../../api/workload-entry.ts';
import type { ObjectKey } from '../mesh/object-ref.ts';
import type { Hostname, MeshService } from '../mesh/snapshot.ts';
import type { Client } from './clients.ts';
import { portListener, unknownHost } from './names.ts';
import type { Outbound } from './outbound.ts';
import { withDependants } from './outbound-update.ts';
import type { ResourceName } from './policy-carriers.ts';
import { CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, VIRTUAL_HOST_TYPE } from './resource.ts';
import { routablePorts } from './routable-ports.ts';

/** Resources that are named for one policy; one that stands in more of them stands in these as well as in the others. */
const NAMED = 100;

type Find = (outbound: Outbound, client: Client, key: ObjectKey) => Iterable<ResourceName>;

/** By kind of policy, the resources in which it stands for a client. */
const FINDERS: Readonly<Record<string, Find>> = {
  [VIRTUAL_SERVICE_KIND]: findRule,
  [DESTINATION_RULE_KIND]: findPolicy,
  [SERVICE_ENTRY_KIND]: findObject,
  [WORKLOAD_ENTRY_KIND]: findWorkloadEntry,
  [SIDECAR_KIND]: findSidecar,
  [CANARY_KIND]: findSplit,
  [TELEMETRY_KIND]: findListeners,
};

/** Resources in which a policy stands for a client, some of them where it is in very many; none where it has nothing to do with the client. */
export function findCarriers(outbound: Outbound, client: Client, key: ObjectKey): ResourceName[] {
  const find = FINDERS[key.slice(0, key.indexOf('/'))];
  const found = new Map<string, ResourceName>();
  for (const resource of find?.(outbound, client, key) ?? []) {
    found.set(`${resource.typeUrl} ${resource.name}`, resource);
    if (found.size >= NAMED) break;
  }
  return [...found.values()];
}

function* findRule(outbound: Outbound, { scope }: Client, key: ObjectKey): Generator<ResourceName> {
  const rules = outbound.rules.standingIn(key);
  for (const rule of rules) {
    const routed = new Set<Hostname>();
    for (const host of rule.hosts) for (const hostname of outbound.covered(host)) routed.add(hostname);
    for (const hostname of routed) {
      if (!scope.rules(hostname).includes(rule)) continue;
      if (rule.http.length > 0) {
        // A name that stands for the host has its routes, unless it has its own.
        for (const name of outbound.aliases.withAliases([hostname])) yield* routesOf(outbound, name);
      }
      const service = rule.tls.length + rule.tcp.length > 0 ? scope.service(hostname) : undefined;
      if (service !== undefined) yield* listenersOf(service);
    }
  }
}

function* findPolicy(outbound: Outbound, client: Client, key: ObjectKey): Generator<ResourceName> {
  const { scope } = client;
  const host = outbound.policies.get(key)?.host;
  if (host === undefined) return;
  for (const hostname of outbound.covered(host)) {
    const service = scope.service(hostname);
    if (service === undefined || scope.policy(service)?.keys.includes(key) !== true) continue;
    for (const name of outbound.services.variant(scope, service).clusters.keys()) yield { typeUrl: CLUSTER_TYPE, name };
    // By what requests are hashed stands in the routes.
    yield* routesOf(outbound, hostname);
  }
}

function* findObject(outbound: Outbound, client: Client, key: ObjectKey): Generator<ResourceName> {
  for (const service of outbound.hosts.ofObject(key)) {
    if (client.scope.service(service.hostname)?.key !== service.key) continue;
    const { clusters } = outbound.services.variant(client.scope, service);
    for (const name of clusters.keys()) yield { typeUrl: CLUSTER_TYPE, name };
    yield* listenersOf(service);
    yield* routesOf(outbound, service.hostname);
  }
}

function* findWorkloadEntry(outbound: Outbound, { scope }: Client, key: ObjectKey): Generator<ResourceName> {
  for (const serviceKey of outbound.services.withMember(key)) {
    const service = outbound.hosts.get(serviceKey);
    if (service === undefined || scope.service(service.hostname)?.key !== serviceKey) continue;
    const { assignments, clusters } = outbound.services.variant(scope, service);
    for (const name of assignments.keys()) yield { typeUrl: ENDPOINT_TYPE, name };
    if (assignments.size === 0) for (const name of clusters.keys()) yield { typeUrl: CLUSTER_TYPE, name };
  }
}

function* findSidecar(outbound: Outbound, client: Client, key: ObjectKey): Generator<ResourceName> {
  if (client.scope.traits.sidecar?.key !== key) return;
  for (const name of outbound.listeners.names([client.scope])) yield { typeUrl: LISTENER_TYPE, name };
  // First, lest there be too many hosts to name: its outbound policy stands here.
  for (const port of outbound.routes.all()) yield { typeUrl: VIRTUAL_HOST_TYPE, name: unknownHost(port) };
  for (const port of outbound.routes.all()) {
    for (const name of outbound.routes.names(port)) yield { typeUrl: VIRTUAL_HOST_TYPE, name };
  }
}

/** All of its listeners tell of requests. */
function* findListeners(outbound: Outbound, { scope }: Client): Generator<ResourceName> {
  for (const name of outbound.listeners.names([scope])) yield { typeUrl: LISTENER_TYPE, name };
}

function* findSplit(outbound: Outbound, { scope }: Client, key: ObjectKey): Generator<ResourceName> {
  const hostnames: Hostname[] = [];
  for (const service of outbound.hosts.ofObject(key)) {
    if (scope.service(service.hostname)?.key !== service.key) continue;
    hostnames.push(service.hostname);
    yield* listenersOf(service);
  }
  for (const hostname of withDependants(outbound, hostnames)) yield* routesOf(outbound, hostname);
}

function* listenersOf(service: MeshService): Generator<ResourceName> {
  for (const { port } of routablePorts(service)) yield { typeUrl: LISTENER_TYPE, name: portListener(port) };
}

function* routesOf(outbound: Outbound, hostname: Hostname): Generator<ResourceName> {
  for (const port of outbound.routePorts(hostname)) {
    for (const name of outbound.routes.namesOf(port, hostname)) yield { typeUrl: VIRTUAL_HOST_TYPE, name };
  }
}
