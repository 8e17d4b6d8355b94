import { Agent, createServer, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Pod } from '@kubernetes/client-node';
import { waitUntil } from '../../hack/mesh/wait.ts';
import { SERVICE } from '../../kube/kinds.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { MeshChange } from '../../operator/mesh/mesh-object.ts';
import { destinationRule, pod, service, slice, virtualService } from '../../operator/mesh/testing/objects.ts';
import { type EnvoyProcess, startEnvoy } from '../feature/support/envoy-process.ts';
import { call } from '../feature/support/http-call.ts';
import type { ApiMesh } from './api-mesh.ts';
import type { ApiServer } from './api-server.ts';
import type { ServerPlace } from './messages.ts';

const ENVOYS = 3;
const SERVICES = 3;
const PORT = 9080;
/** Addresses of pods that serve, all of this machine. */
const BACKENDS = '10.200.1';
const CALLERS = '10.1.250';
const WORKERS = 6;
/** Between two requests of a worker, in ms. */
const PACE_MS = 20;
/** Every so many requests of a worker have a connection of their own. */
const FRESH = 10;
/** What is not answered by then hangs, in ms. */
const HANG_MS = 20_000;
/** After so long new routes are everywhere. */
const LED_MS = 3000;
/** Failures that are told in words. */
const TOLD = 5;

/** What came of the requests. */
export interface TrafficCounts {
  requests: number;
  failed: number;
}

/** Services with routes that change, a backend on this machine, and real Envoys through which requests go to it without an end. */
export class MeshTraffic {
  readonly counts: TrafficCounts = { requests: 0, failed: 0 };
  private readonly server: ApiServer;
  private readonly mesh: ApiMesh;
  private readonly envoys: EnvoyProcess[] = [];
  private readonly backend: Server;
  private readonly steady: readonly V1Pod[];
  private readonly callers: readonly V1Pod[];
  private passing: V1Pod | undefined;
  /** Requests by the address that answered. */
  private readonly served = new Map<string, number>();
  private isRunning = false;
  private done: Promise<unknown> = Promise.resolve();

  constructor(server: ApiServer, mesh: ApiMesh) {
    this.server = server;
    this.mesh = mesh;
    this.backend = createServer({ keepAliveTimeout: 600_000 }, (request, response) =>
      response.end(request.socket.localAddress),
    );
    this.steady = [2, 3].map((number) => backendPod(`web-${number}`, number));
    this.callers = Array.from({ length: ENVOYS }, (_, nth) =>
      pod(`caller-${nth}`, { address: `${CALLERS}.${1 + nth}` }),
    );
  }

  /** Puts its objects. */
  async prepare(): Promise<void> {
    await this.mesh.writePods([...this.steady, ...this.callers]);
    for (let nth = 0; nth < SERVICES; nth++) {
      const name = `web-${nth}`;
      const web = service(name, { app: 'web' }, { ports: [{ name: 'http', port: 80, targetPort: PORT }] });
      const subsets = ['v1', 'v2'].map((version) => ({ name: version, labels: { version } }));
      const rule = destinationRule(`shop/${name}`, { host: name, subsets });
      await this.mesh.write(
        { kind: 'Service', key: `shop/${name}`, object: web },
        { kind: 'DestinationRule', key: `shop/${name}`, object: rule },
        this.endpoints(nth),
        this.weights(nth, 50),
      );
    }
  }

  /** Starts backend and Envoys, and requests through them. */
  async start({ port: adsPort, certificate, serverName = 'localhost' }: ServerPlace): Promise<void> {
    await new Promise<void>((resolve) => this.backend.listen(PORT, '0.0.0.0', resolve));
    const { rootPem } = certificate;
    for (const { token, nodeId } of await this.mesh.identities(this.callers)) {
      this.envoys.push(await startEnvoy({ nodeId, token, adsPort, rootPem, serverName }));
    }
    for (const envoy of this.envoys) {
      await waitUntil('an Envoy to be ready', async () => {
        const answer = await envoy.admin('/listeners');
        return answer.includes('outbound|80') && (await envoy.admin('/ready')).startsWith('LIVE') ? undefined : answer;
      });
    }
    const addresses = await Promise.all(
      Array.from({ length: SERVICES }, async (_, nth) => {
        const name = { namespace: 'shop', name: `web-${nth}` };
        const { spec } = await this.server.api.get<KubeObject & { spec?: { clusterIP?: string } }>(SERVICE, name);
        return spec?.clusterIP ?? '';
      }),
    );
    this.isRunning = true;
    this.done = Promise.all(Array.from({ length: WORKERS }, () => this.work(addresses)));
  }

  /** Changes something: weights every time, and by turns a pod that serves comes or goes. @param nth of the change, from 0 */
  async change(nth: number): Promise<void> {
    await this.mesh.write(this.weights(nth % SERVICES, (nth * 37) % 101));
    const before = this.passing;
    if (before === undefined) {
      this.passing = backendPod(`web-passing-${nth}`, 10 + (nth % 200));
      await this.mesh.writePods([this.passing]);
    } else this.passing = undefined;
    for (let web = 0; web < SERVICES; web++) await this.mesh.write(this.endpoints(web));
    if (before === undefined) return;
    await this.mesh.write({ kind: 'Pod', key: `shop/${before.metadata?.name}`, object: undefined });
  }

  /** Leads all to the first version, and counts the requests that still go to the other one. */
  async astray(): Promise<number> {
    for (let web = 0; web < SERVICES; web++) await this.mesh.write(this.weights(web, 100));
    await sleep(LED_MS);
    this.served.clear();
    await sleep(LED_MS);
    const other = [...this.served].filter(([address]) => versionOf(Number(address.split('.').at(-1))) !== 1);
    return other.reduce((sum, [, count]) => sum + count, 0);
  }

  /** Requests that each Envoy sent on. */
  passed(): Promise<number[]> {
    return Promise.all(
      this.envoys.map(async (envoy) => {
        const text = await envoy.admin('/stats?filter=upstream_rq_total');
        const counts = [...text.matchAll(/^cluster\.outbound\|.*upstream_rq_total: (\d+)$/gm)];
        return counts.reduce((sum, [, count]) => sum + Number(count), 0);
      }),
    );
  }

  async stop(): Promise<void> {
    this.isRunning = false;
    await this.done;
    for (const envoy of this.envoys) await envoy.stop();
    this.backend.closeAllConnections();
    this.backend.close();
  }

  private async work(addresses: readonly string[]): Promise<void> {
    const kept = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let nth = 0; this.isRunning; nth++) {
      const web = nth % addresses.length;
      const fresh = nth % FRESH === 0;
      await this.request(addresses[web] ?? '', `web-${web}.shop`, fresh ? false : kept);
      await sleep(PACE_MS);
    }
    kept.destroy();
  }

  private async request(host: string, name: string, agent: Agent | false): Promise<void> {
    const { counts } = this;
    counts.requests += 1;
    try {
      const signal = AbortSignal.timeout(HANG_MS);
      const { status, body } = await call({ host, port: 80, headers: { host: name }, agent, signal });
      if (status !== 200) throw new Error(`${status} ${body}`);
      this.served.set(body, (this.served.get(body) ?? 0) + 1);
    } catch (error) {
      counts.failed += 1;
      if (counts.failed <= TOLD) console.error(`${new Date().toISOString()} request to ${name}: ${error}`);
    }
  }

  private endpoints(nth: number): MeshChange {
    const name = `web-${nth}`;
    const object = slice(name, [...this.steady, ...(this.passing ? [this.passing] : [])], { http: PORT });
    return { kind: 'EndpointSlice', key: `shop/${object.metadata?.name}`, object };
  }

  private weights(nth: number, first: number): MeshChange {
    const name = `web-${nth}`;
    const to = (subset: string, weight: number) => ({ destination: { host: name, subset }, weight });
    const object = virtualService(`shop/${name}`, {
      hosts: [name],
      http: [{ route: [to('v1', first), to('v2', 100 - first)] }],
    });
    return { kind: 'VirtualService', key: `shop/${name}`, object };
  }
}

function versionOf(number: number): number {
  return 1 + (number % 2);
}

/** A pod without a sidecar. @param number gives its address and version */
function backendPod(name: string, number: number): V1Pod {
  const labels = { app: 'web', version: `v${versionOf(number)}` };
  return pod(name, { injected: false, address: `${BACKENDS}.${number}`, labels });
}
