import { create, type DescMessage, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import type { TrustRotation } from '../../../api/trust-rotation.ts';
import { ClusterSchema } from '../../../generated/envoy/envoy/config/cluster/v3/cluster_pb.js';
import type { TransportSocket } from '../../../generated/envoy/envoy/config/core/v3/base_pb.js';
import { ListenerSchema } from '../../../generated/envoy/envoy/config/listener/v3/listener_pb.js';
import { RouterSchema } from '../../../generated/envoy/envoy/extensions/filters/http/router/v3/router_pb.js';
import { HttpConnectionManagerSchema } from '../../../generated/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { HttpProtocolOptionsSchema } from '../../../generated/envoy/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js';
import { TRUST_ROTATION } from '../../../kube/kinds.ts';
import { MemoryApi } from '../../../kube/testing/memory-api.ts';
import type { Certificates } from '../../../operator/certificates/start.ts';
import { ask, startLeader } from '../../../operator/certificates/testing/leader.ts';
import type { ProxyTrustSource } from '../../../operator/certificates/trust-survey.ts';
import type { Workload } from '../../../operator/mesh/snapshot.ts';
import { proxyTrust } from '../../../operator/wiring/proxy-trust.ts';
import { CLUSTER_TYPE, LISTENER_TYPE, type ResourceSource, type XdsResource } from '../../../operator/xds/resource.ts';
import { buildDownstreamTls, buildUpstreamTls } from '../../../operator/xds/tls-sockets.ts';
import { type AdsHarness, nodeIdOf, startHarness, type TestPod } from './ads-harness.ts';
import { type EnvoyProcess, startEnvoy } from './envoy-process.ts';
import { freePort } from './free-port.ts';
import { type Backend, startBackend } from './load.ts';
import { makeResource } from './resource-table.ts';

/** Identity of both workloads. */
const ID = 'spiffe://cluster.local/ns/shop/sa/default';

/**
 * Two real Envoys with the mesh's own TLS between them, a new connection for each request, and a real certificate authority whose root can be rotated. A
 * request that fails is not tried again.
 */
export class RotatingMesh {
  readonly api = new MemoryApi();
  /** While true no phase ends: a replica is said not to report. */
  held = false;
  readonly #ends: (() => unknown)[] = [];
  readonly #pods: TestPod[] = [];
  #certificates: Certificates | undefined;
  #harness: AdsHarness | undefined;
  /** Of loopback, where the caller takes requests in plaintext. */
  port = 0;

  async start(): Promise<void> {
    const certificates = await startLeader(this.api, this.#proxies(), this.#ends);
    this.#certificates = certificates;
    const backend: Backend = await startBackend('app');
    this.#ends.push(() => backend.close());
    const [callerPort, serverPort] = [await freePort(), await freePort()];
    this.port = callerPort;
    const resources = new Map([
      ['caller', [cluster('out', serverPort, buildUpstreamTls('out', [ID])), listener(callerPort, 'out')]],
      ['server', [cluster('in', backend.port), listener(serverPort, 'in', buildDownstreamTls())]],
    ]);
    const harness = await startHarness([byPod(resources), certificates.secrets]);
    this.#harness = harness;
    this.#ends.push(() => harness.stop());
    for (const name of ['server', 'caller']) await this.#startEnvoy(name, harness);
    await this.until(async () => (await fetch(`http://127.0.0.1:${this.port}`).catch(() => undefined))?.status === 200);
  }

  async stop(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
  }

  get certificates(): Certificates {
    if (this.#certificates === undefined) throw new Error('the mesh has not started');
    return this.#certificates;
  }

  /** Asks for a rotation. */
  async rotate(name: string): Promise<void> {
    await ask(this.api, name);
  }

  async abort(name: string): Promise<void> {
    await this.api.patch(TRUST_ROTATION, { name }, 'merge', { spec: { abort: true } });
  }

  /** Aborts a rotation that issues as soon as it retires, which it does not end before. */
  async abortWhenRetiring(name: string): Promise<void> {
    const { authority } = this.certificates;
    const end = authority.onChange(() => {
      if (authority.state?.phase === 'Retiring') this.held = true;
    });
    await this.until(() => authority.state?.phase === 'Retiring');
    end();
    await this.abort(name);
    await this.reaches(name, 'Retiring', 'spec.abort came too late');
    this.held = false;
  }

  /** Waits until a rotation is in a phase, with a status that says something. */
  async reaches(name: string, phase: string, says = ''): Promise<void> {
    await this.until(async () => {
      const { status } = await this.api.get<TrustRotation>(TRUST_ROTATION, { name });
      return status?.phase === phase && (status.conditions?.[0]?.message ?? '').includes(says);
    });
  }

  /** Which signers the certificates of the proxies are of, as these say. */
  generations(): string[] {
    return [...this.#proxies().proxies()].map(({ generation }) => generation ?? 'none');
  }

  /** @throws {Error} after half a minute */
  async until(holds: () => Promise<boolean> | boolean): Promise<void> {
    for (const end = performance.now() + 30_000; performance.now() < end; ) {
      if (await holds()) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error('it did not come about');
  }

  async #startEnvoy(name: string, harness: AdsHarness): Promise<void> {
    const pod = harness.addPod(name);
    this.#pods.push(pod);
    const { port: adsPort, rootPem } = harness;
    const envoy: EnvoyProcess = await startEnvoy({ nodeId: nodeIdOf(pod), token: pod.token, adsPort, rootPem });
    this.#ends.push(() => envoy.stop());
  }

  #proxies(): ProxyTrustSource {
    const acks = () => this.#harness?.server.acks ?? { proxy: () => undefined, onAck: () => () => {} };
    const workload = ({ uid, name, namespace }: TestPod) => ({ uid, name, namespace, proxyStarted: true }) as Workload;
    const source = proxyTrust({ workloads: () => this.#pods.map(workload), acks, hearsAll: () => !this.held });
    // The streams begin after the authority: what they tell is looked at now and then instead.
    const onChange = (listener: () => void) => {
      const timer = setInterval(listener, 20);
      return () => clearInterval(timer);
    };
    return { ...source, onChange };
  }
}

/** What each pod has, by its name. */
function byPod(resources: ReadonlyMap<string, readonly XdsResource[]>): ResourceSource {
  return {
    typeUrls: [CLUSTER_TYPE, LISTENER_TYPE],
    wildcard: ({ podName }, typeUrl) =>
      new Map((resources.get(podName) ?? []).filter((one) => one.typeUrl === typeUrl).map((one) => [one.name, one])),
    lookup: ({ podName }, typeUrl, name) =>
      resources.get(podName)?.find((one) => one.typeUrl === typeUrl && one.name === name),
    onChange: () => () => {},
  };
}

function cluster(name: string, port: number, transportSocket?: TransportSocket): XdsResource {
  const options = create(HttpProtocolOptionsSchema, {
    commonHttpProtocolOptions: { maxRequestsPerConnection: 1 },
    upstreamProtocolOptions: {
      case: 'explicitHttpConfig',
      value: { protocolConfig: { case: 'httpProtocolOptions', value: {} } },
    },
  });
  const message = create(ClusterSchema, {
    name,
    clusterDiscoveryType: { case: 'type', value: 0 },
    connectTimeout: { seconds: 5n },
    loadAssignment: {
      clusterName: name,
      endpoints: [{ lbEndpoints: [{ hostIdentifier: { case: 'endpoint', value: { address: loopback(port) } } }] }],
    },
    typedExtensionProtocolOptions: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': anyPack(HttpProtocolOptionsSchema, options),
    },
    ...(transportSocket && { transportSocket }),
  });
  return makeResource(CLUSTER_TYPE, name, toBinary(ClusterSchema, message));
}

function listener(port: number, to: string, transportSocket?: TransportSocket): XdsResource {
  const route = {
    match: { pathSpecifier: { case: 'prefix' as const, value: '/' } },
    action: { case: 'route' as const, value: { clusterSpecifier: { case: 'cluster' as const, value: to } } },
  };
  const manager = create(HttpConnectionManagerSchema, {
    statPrefix: to,
    routeSpecifier: {
      case: 'routeConfig',
      value: { name: to, virtualHosts: [{ name: 'all', domains: ['*'], routes: [route] }] },
    },
    httpFilters: [{ name: 'router', configType: typed(RouterSchema, create(RouterSchema)) }],
  });
  const message = create(ListenerSchema, {
    name: to,
    address: loopback(port),
    filterChains: [
      {
        filters: [{ name: 'http', configType: typed(HttpConnectionManagerSchema, manager) }],
        ...(transportSocket && { transportSocket }),
      },
    ],
  });
  return makeResource(LISTENER_TYPE, to, toBinary(ListenerSchema, message));
}

const typed = <Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>) => ({
  case: 'typedConfig' as const,
  value: anyPack(schema, message),
});

function loopback(port: number) {
  const portSpecifier = { case: 'portValue' as const, value: port };
  return { address: { case: 'socketAddress' as const, value: { address: '127.0.0.1', portSpecifier } } };
}
