import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Server as NetServer } from 'node:net';
import { createRegistry, fromJson, type JsonValue, type Registry, toBinary, toJson } from '@bufbuild/protobuf';
import { ListenerSchema } from '../../../generated/envoy/envoy/config/listener/v3/listener_pb.js';
import { RetryPolicySchema } from '../../../generated/envoy/envoy/config/route/v3/route_components_pb.js';
import { PreviousPrioritiesConfigSchema } from '../../../generated/envoy/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config_pb.js';
import type { Endpoint, MeshService } from '../../../operator/mesh/snapshot.ts';
import { type ClusterInput, translateServiceCluster } from '../../../operator/xds/clusters.ts';
import { encodeResource } from '../../../operator/xds/encoding.ts';
import { type AssignmentInput, translateAssignment } from '../../../operator/xds/load-assignments.ts';
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  LISTENER_TYPE,
  type ResourceSource,
  ROUTE_TYPE,
  SECRET_TYPE,
} from '../../../operator/xds/resource.ts';
import { buildRetryPolicy } from '../../../operator/xds/retry-policies.ts';
import { endpoint, port, service } from '../../../operator/xds/testing/mesh-fixture.ts';
import { type AdsHarness, nodeIdOf, startHarness } from './ads-harness.ts';
import { type EnvoyProcess, startEnvoy } from './envoy-process.ts';
import { freePort } from './free-port.ts';
import { ResourceTable } from './resource-table.ts';

const HOST = '127.0.0.1';
const PORT = port(80, 'http', 'http');
const HTTP_MANAGER =
  'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
const ROUTER = 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router';

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  /** Envoy's response flags. */
  readonly flags: string;
}

/** How a cluster under test differs from that of a plain HTTP service. */
export interface Setup
  extends Partial<Pick<ClusterInput, 'policy' | 'peers'>>,
    Partial<Pick<AssignmentInput, 'client'>> {
  readonly service?: Partial<MeshService>;
}

/** An Envoy on a real ADS stream; a request says itself which cluster it is for. */
export interface PolicyBed {
  /** Puts a cluster with its endpoints in force. @returns its name */
  use(name: string, endpoints: readonly Endpoint[], setup?: Setup): Promise<string>;
  /** Requests below `/retry` are retried 3 times, and below `/elsewhere` with remote localities. */
  call(cluster: string, headers?: Readonly<Record<string, string>>, path?: string): Promise<Answer>;
  stop(): Promise<void>;
}

/**
 * @param before what the proxy is given at its start besides
 * @param secrets where it gets secrets from; default: there are none
 */
export async function startPolicyBed(
  registry: Registry,
  before: readonly (readonly [name: string, endpoints: readonly Endpoint[], setup: Setup])[] = [],
  secrets: ResourceSource = new ResourceTable([SECRET_TYPE]),
): Promise<PolicyBed> {
  const table = new ResourceTable([CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE]);
  const harness = await startHarness([table, secrets]);
  const pod = harness.addPod('client');
  const listening = await freePort();
  const listener = toBinary(ListenerSchema, fromJson(ListenerSchema, listenerJson(listening), { registry }));
  table.update([encodeResource(LISTENER_TYPE, 'l', listener)]);
  for (const entry of before) table.update(resourcesOf(...entry));
  const options = { nodeId: nodeIdOf(pod), token: pod.token, adsPort: harness.port, rootPem: harness.rootPem };
  const envoy = await startEnvoy(options);
  await until(async () => (await envoy.admin('/listeners')).includes('l::'), envoy);
  return {
    async use(name, endpoints, setup = {}) {
      const resources = resourcesOf(name, endpoints, setup);
      table.update(resources);
      const [cluster] = resources;
      if (cluster === undefined) throw new Error('a cluster always comes of it');
      await inForce(harness, envoy, pod.uid, resources);
      return cluster.name;
    },
    call: (cluster, headers, path) => send(listening, cluster, headers, path),
    async stop() {
      await envoy.stop();
      await harness.stop();
    },
  };
}

function resourcesOf(name: string, endpoints: readonly Endpoint[], setup: Setup) {
  const { policy = {}, peers = [], client } = setup;
  const target = service(`${name}.shop`, [PORT], setup.service);
  const full = `outbound|80||${target.hostname}`;
  const cluster = translateServiceCluster({
    name: full,
    service: target,
    port: PORT,
    subset: '',
    revision: '',
    peers,
    policy,
    endpoints,
  });
  if (target.resolution !== 'endpoints') return [cluster];
  const input = { cluster: full, portName: PORT.name, endpoints, clusterVersion: cluster.version, policy, client };
  return [cluster, translateAssignment(input)];
}

async function inForce(
  harness: AdsHarness,
  envoy: EnvoyProcess,
  uid: string,
  resources: ReturnType<typeof resourcesOf>,
): Promise<void> {
  await until(async () => {
    const rejections = harness.server.acks.proxy(uid)?.rejections() ?? [];
    if (rejections.length > 0) throw new Error(`Envoy rejects: ${JSON.stringify(rejections)}`);
    return resources.every(({ typeUrl, name, version }) => harness.server.acks.acked(uid, typeUrl, name) === version);
  }, envoy);
  const [cluster] = resources;
  await until(async () => {
    const warming = await envoy.admin('/config_dump?resource=dynamic_warming_clusters');
    return !warming.includes(cluster?.name ?? '') && (await envoy.admin('/clusters')).includes(`${cluster?.name}::`);
  }, envoy);
}

async function until(holds: () => Promise<boolean>, envoy: EnvoyProcess): Promise<void> {
  const start = performance.now();
  while (!(await holds())) {
    if (performance.now() - start > 15_000) throw new Error(`did not come about within 15 s: ${envoy.log()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function send(
  listening: number,
  cluster: string,
  headers: Readonly<Record<string, string>> = {},
  path = '/',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: HOST, port: listening, path, agent: false, headers: { 'x-cluster': cluster, ...headers } };
    const call = request(options, (response) => {
      let body = '';
      response.on('data', (text: Buffer) => {
        body += text.toString();
      });
      const flags = String(response.headers['x-flags'] ?? '');
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, flags }));
    });
    call.on('error', reject);
    call.end();
  });
}

function listenerJson(listening: number): JsonValue {
  const hashPolicy = [{ header: { header_name: 'x-user' } }];
  const retryPolicy = { retry_on: '5xx', num_retries: 3, retry_back_off: { base_interval: '0.001s' } };
  const route = (prefix: string, action: Record<string, JsonValue>): JsonValue => ({
    match: { prefix },
    route: { cluster_header: 'x-cluster', hash_policy: hashPolicy, ...action },
  });
  return {
    name: 'l',
    address: { socket_address: { address: HOST, port_value: listening } },
    filter_chains: [
      {
        filters: [
          {
            name: 'http',
            typed_config: {
              '@type': HTTP_MANAGER,
              stat_prefix: 'test',
              http_filters: [{ name: 'router', typed_config: { '@type': ROUTER } }],
              route_config: {
                response_headers_to_add: [{ header: { key: 'x-flags', value: '%RESPONSE_FLAGS%' } }],
                virtual_hosts: [
                  {
                    name: 'all',
                    domains: ['*'],
                    routes: [
                      route('/retry', { retry_policy: retryPolicy }),
                      route('/elsewhere', { retry_policy: elsewhere() }),
                      route('/', {}),
                    ],
                  },
                ],
              },
            },
          },
        ],
      },
    ],
  };
}

/** As `retries` with `retryRemoteLocalities` has it. */
function elsewhere(): JsonValue {
  const policy = buildRetryPolicy({ attempts: 4, retryOn: '5xx', remoteLocalities: true, ignorePreviousHosts: false });
  const registry = createRegistry(PreviousPrioritiesConfigSchema);
  return policy === undefined ? {} : toJson(RetryPolicySchema, policy, { registry, useProtoFieldName: true });
}

/** A server of the test on loopback, with an endpoint for it. */
export interface TestServer {
  readonly port: number;
  readonly server: NetServer;
  /** Requests or connections it got. */
  seen: number;
  endpoint(more?: Partial<Endpoint>): Endpoint;
}

/** A plain HTTP server that answers its name, unless told otherwise. */
export function startServer(
  name: string,
  answer: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => void response.end(name),
): Promise<TestServer> {
  const server: Server = createServer((incoming, response) => {
    started.seen++;
    answer(incoming, response);
  });
  server.keepAliveTimeout = 60_000;
  const started = testServer(server);
  return started.listening;
}

/** Makes any server a test server. */
export function testServer(server: NetServer): TestServer & { readonly listening: Promise<TestServer> } {
  const wrapped = {
    server,
    seen: 0,
    get port(): number {
      // Only listening on a socket path gives a string.
      return (server.address() as AddressInfo).port;
    },
    endpoint: (more: Partial<Endpoint> = {}): Endpoint =>
      endpoint(HOST, { http: (server.address() as AddressInfo).port }, { mtls: false, ...more }),
    listening: new Promise<TestServer>((resolve) => {
      server.listen(0, HOST, () => resolve(wrapped));
    }),
  };
  return wrapped;
}
