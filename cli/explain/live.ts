import type { MeshSnapshot, Workload } from '../../operator/mesh/snapshot.ts';
import { INBOUND_LISTENER } from '../../operator/xds/names.ts';
import { CLUSTER_TYPE, LISTENER_TYPE, type ProxyIdentity, VIRTUAL_HOST_TYPE } from '../../operator/xds/resource.ts';
import { wholeDelta } from '../../operator/xds/whole-delta.ts';
import { XdsCache } from '../../operator/xds/xds-cache.ts';
import { ADMIN_PORT } from '../../proxy/ports.ts';
import type { Cluster } from '../cluster-options.ts';
import { type PodHttp, podHttp } from '../forward/pod-http.ts';
import type { Explanation } from './explain-call.ts';
import { sameVirtualHost } from './live-routes.ts';
import type { OutcomeBackend } from './outcome.ts';
import type { LiveFinding } from './report.ts';

/** Of pods that serve, so many are looked at. */
const MOST_SERVERS = 3;
const OLDER = 'has something else than the objects say: it has not followed yet, or another version of Heddle made it';

/** What is asked of a sidecar's admin interface. */
type Admin = Pick<PodHttp, 'json'>;

/** Holds what was decided against what the sidecars of caller and servers have at this moment; what can't be asked is told as well. */
export async function compareLive(
  { config }: Pick<Cluster, 'config'>,
  snapshot: MeshSnapshot,
  caller: Workload | undefined,
  { outcomes, choice, protocol }: Explanation,
  port: number,
): Promise<LiveFinding[]> {
  const cache = new XdsCache();
  cache.update(snapshot, wholeDelta(snapshot));
  const backends = outcomes.flatMap(({ backend }) => backend ?? []);
  const work: Promise<LiveFinding[]>[] = [];
  if (caller !== undefined) {
    const host = protocol === 'http' ? choice?.hostname : undefined;
    work.push(
      askSidecar(config, caller, (admin) =>
        compareCaller(admin, cache, caller, backends, host === undefined ? undefined : `${port}/${host}`),
      ),
    );
  }
  for (const server of serversOf(snapshot, backends).slice(0, MOST_SERVERS)) {
    work.push(askSidecar(config, server, (admin) => compareServer(admin, cache, server)));
  }
  return (await Promise.all(work)).flat();
}

/** Asks the sidecar of a pod; that it can't be asked is a finding as well. */
export async function askSidecar(
  config: Cluster['config'],
  { namespace, name }: Workload,
  work: (admin: Admin) => Promise<LiveFinding[]>,
): Promise<LiveFinding[]> {
  const whose = `the sidecar of ${namespace}/${name}`;
  const admin = podHttp(config, { namespace, pod: name, port: ADMIN_PORT }, whose);
  try {
    return await work(admin);
  } catch (error) {
    return [{ ok: false, text: `${whose} can't be asked: ${(error as Error).message}` }];
  } finally {
    admin.close();
  }
}

interface Dump<T> {
  readonly configs?: readonly T[];
}

/** Clusters, their endpoints, and the routes of the host. @param host name of the virtual host; undefined: there is none to look at */
export async function compareCaller(
  admin: Admin,
  cache: XdsCache,
  caller: Workload,
  backends: readonly OutcomeBackend[],
  host: string | undefined,
): Promise<LiveFinding[]> {
  const identity = identityOf(caller);
  const whose = `the sidecar of ${caller.namespace}/${caller.name}`;
  const findings: LiveFinding[] = [];
  const wanted = host === undefined ? undefined : cache.lookup(identity, VIRTUAL_HOST_TYPE, host);
  if (wanted !== undefined && host !== undefined) {
    const port = host.slice(0, host.indexOf('/'));
    const path = `/config_dump?resource=dynamic_route_configs&name_regex=${encodeURIComponent(`^${port}$`)}`;
    const dump =
      await admin.json<
        Dump<{ readonly route_config?: { readonly virtual_hosts?: readonly { readonly name?: string }[] } }>
      >(path);
    const held = (dump.configs ?? [])
      .flatMap((one) => one.route_config?.virtual_hosts ?? [])
      .find(({ name }) => name === host);
    const what = `${whose}, routes of ${host.slice(port.length + 1)}`;
    findings.push(
      held === undefined
        ? findingOfAbsent(what, caller.onDemand)
        : findingOf(what, sameVirtualHost(wanted.bytes, held)),
    );
  }
  const clusters = await admin.json<
    Dump<{ readonly version_info?: string; readonly cluster?: { readonly name?: string } }>
  >('/config_dump?resource=dynamic_active_clusters');
  const { cluster_statuses = [] } = await admin.json<{ readonly cluster_statuses?: readonly ClusterStatus[] }>(
    '/clusters?format=json',
  );
  for (const name of new Set(backends.map(({ cluster }) => cluster))) {
    const held = clusters.configs?.find(({ cluster }) => cluster?.name === name);
    const version = cache.lookup(identity, CLUSTER_TYPE, name)?.version;
    const what = `${whose}, cluster ${name}`;
    if (held === undefined) findings.push(findingOfAbsent(what, caller.onDemand));
    else
      findings.push(
        findingOf(what, held.version_info === version),
        ...compareEndpoints(whose, name, backends, cluster_statuses),
      );
  }
  return findings;
}

interface ClusterStatus {
  readonly name?: string;
  readonly host_statuses?: readonly {
    readonly address?: { readonly socket_address?: { readonly address?: string; readonly port_value?: number } };
    readonly health_status?: { readonly failed_outlier_check?: boolean; readonly eds_health_status?: string };
  }[];
}

function compareEndpoints(
  whose: string,
  name: string,
  backends: readonly OutcomeBackend[],
  statuses: readonly ClusterStatus[],
): LiveFinding[] {
  const wanted = new Set(
    backends.filter(({ cluster }) => cluster === name).flatMap(({ endpoints }) => endpoints.map(addressIn)),
  );
  const hosts = statuses.find((one) => one.name === name)?.host_statuses ?? [];
  const held = new Map(
    hosts.map((host) => [`${host.address?.socket_address?.address}:${host.address?.socket_address?.port_value}`, host]),
  );
  const missing = [...wanted].filter((address) => !held.has(address));
  const extra = [...held.keys()].filter((address) => !wanted.has(address));
  const ejected = [...held]
    .filter(([, host]) => host.health_status?.failed_outlier_check === true)
    .map(([address]) => address);
  const findings: LiveFinding[] = [];
  if (wanted.size > 0 && (missing.length > 0 || extra.length > 0)) {
    const parts = [
      missing.length > 0 ? `does not have ${missing.join(', ')}` : '',
      extra.length > 0 ? `still has ${extra.join(', ')}` : '',
    ];
    findings.push({
      ok: false,
      text: `${whose}, endpoints of ${name}: ${parts.filter((part) => part !== '').join(' and ')}`,
    });
  }
  if (ejected.length > 0)
    findings.push({ ok: false, text: `${whose} sends nothing to ${ejected.join(', ')}: ejected by outlier detection` });
  return findings;
}

/** Who may call, tokens and limits: all of it is in the inbound listener. */
export async function compareServer(admin: Admin, cache: XdsCache, server: Workload): Promise<LiveFinding[]> {
  const wanted = cache.lookup(identityOf(server), LISTENER_TYPE, INBOUND_LISTENER)?.version;
  const path = `/config_dump?resource=dynamic_listeners&name_regex=${INBOUND_LISTENER}`;
  const dump =
    await admin.json<
      Dump<{
        readonly name?: string;
        readonly active_state?: { readonly version_info?: string };
        readonly error_state?: { readonly details?: string };
      }>
    >(path);
  const held = dump.configs?.find(({ name }) => name === INBOUND_LISTENER);
  const whose = `the sidecar of ${server.namespace}/${server.name}, policies and mTLS`;
  const isSame = held?.active_state === undefined ? undefined : held.active_state.version_info === wanted;
  const refused = held?.error_state?.details;
  if (refused !== undefined && isSame !== true)
    return [{ ok: false, text: `${whose}: it refused the newest: ${refused}` }];
  return [isSame === undefined ? findingOfAbsent(whose, false) : findingOf(whose, isSame)];
}

/** Of something that the sidecar does not have. */
function findingOfAbsent(what: string, onDemand: boolean): LiveFinding {
  if (onDemand) return { ok: true, text: `${what}: fetched at the first request that needs it (on demand)` };
  return { ok: false, text: `${what}: it has nothing of it` };
}

function findingOf(what: string, isSame: boolean): LiveFinding {
  return isSame ? { ok: true, text: `${what}: as the objects say` } : { ok: false, text: `${what}: it ${OLDER}` };
}

function addressIn(endpoint: string): string {
  return endpoint.split(' ').at(-1) ?? endpoint;
}

function identityOf({ uid, name, namespace, serviceAccount }: Workload): ProxyIdentity {
  return { uid, podName: name, namespace, serviceAccount };
}

function serversOf(snapshot: MeshSnapshot, backends: readonly OutcomeBackend[]): Workload[] {
  const names = new Set(backends.flatMap(({ endpoints }) => endpoints.map((endpoint) => endpoint.split(' ')[0])));
  return [...snapshot.workloads.values()].filter(({ namespace, name }) => names.has(`${namespace}/${name}`));
}
