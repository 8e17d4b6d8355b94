import { LOADING_ANNOTATION } from '../../../api/pod-names.ts';
import type { MeshObject } from '../../../operator/mesh/mesh-object.ts';
import type { OutboundPolicy } from '../../../operator/mesh/snapshot.ts';
import { pod, SETTINGS, service, slice } from '../../../operator/mesh/testing/objects.ts';
import { CLUSTER_TYPE, ENDPOINT_TYPE, ROUTE_TYPE, VIRTUAL_HOST_TYPE } from '../../../operator/xds/resource.ts';
import { accepts } from './accepts.ts';
import { type AdsHarness, nodeIdOf, startHarness, type TestPod } from './ads-harness.ts';
import { boundListeners } from './bound-listeners.ts';
import { type EnvoyProcess, startEnvoy } from './envoy-process.ts';
import { MeshOnStream } from './mesh-on-stream.ts';
import { slowClusters } from './slow-clusters.ts';

export type Loading = 'eager' | 'on-demand';

/** What a sidecar of a test is like. */
export interface SidecarOptions {
  readonly loading: Loading;
  /** Of the mesh, free on this machine: Services have them at `addressOf`. */
  readonly ports: readonly number[];
  /** Default: `ALLOW_ANY`. What passes through here comes back to the proxy. */
  readonly outboundPolicy?: OutboundPolicy;
  /** ServiceAccount of its pod; default: `default`. */
  readonly account?: string;
  /** How long a cluster that is asked for takes to come, in ms; default 0. */
  readonly delayMs?: () => number;
}

/** Address of loopback for a Service. */
export function addressOf(number: number): string {
  return `127.1.${number >> 8}.${number & 255}`;
}

/** A port of a Service, and the port of loopback behind it. */
export interface BackedPort {
  readonly name: string;
  readonly port: number;
  readonly backend: number;
}

/** A Service with one endpoint outside of the mesh. @param number gives its address */
export function backedService(name: string, number: number, { backend, ...port }: BackedPort): MeshObject[] {
  const app = pod(`${name}-1`, { injected: false, address: '127.0.0.1' });
  const spec = { clusterIP: addressOf(number), ports: [{ ...port, targetPort: backend }] };
  return [
    { kind: 'Pod', object: app },
    { kind: 'Service', object: service(name, { app: name }, spec) },
    { kind: 'EndpointSlice', object: slice(name, [app], { [port.name]: backend }) },
  ];
}

/** A mesh, and a real Envoy with the listeners, routes and clusters that the mesh's sidecars have, over a real stream. */
export class SidecarOnStream {
  readonly mesh: MeshOnStream;
  private readonly options: SidecarOptions;
  private running: { harness: AdsHarness; readonly client: TestPod; readonly envoy: EnvoyProcess } | undefined;

  constructor(options: SidecarOptions) {
    this.options = options;
    const { outboundPolicy = 'ALLOW_ANY' } = options;
    const settings = { ...SETTINGS, outboundTrafficPolicy: { mode: outboundPolicy } };
    this.mesh = new MeshOnStream(settings, [CLUSTER_TYPE, ENDPOINT_TYPE, ROUTE_TYPE, VIRTUAL_HOST_TYPE]);
  }

  /** Starts with some objects, and waits for the listeners of all ports. */
  async start(objects: readonly MeshObject[]): Promise<void> {
    const harness = await startHarness(this.sources());
    const { account = 'default', loading } = this.options;
    const client = { ...harness.addPod('client'), serviceAccount: account };
    harness.pods.set(client.uid, client);
    const own = pod('client', { uid: client.uid, address: client.ips[0] ?? '' });
    const annotations = { ...own.metadata?.annotations, [LOADING_ANNOTATION]: loading };
    own.metadata = { ...own.metadata, annotations };
    if (own.spec !== undefined) own.spec.serviceAccountName = account;
    this.mesh.put({ kind: 'Pod', object: own }, ...objects);
    const { port: adsPort, rootPem } = harness;
    const envoy = await startEnvoy({ nodeId: nodeIdOf(client), token: client.token, adsPort, rootPem });
    this.running = { harness, client, envoy };
    // Envoy's admin interface tells of listeners before they listen.
    for (const port of this.options.ports) await this.until(() => accepts('127.0.0.1', port));
  }

  get envoy(): EnvoyProcess {
    return this.parts.envoy;
  }

  /** Outbound clusters that the proxy has, sorted. */
  async held(): Promise<string[]> {
    const text = await this.envoy.admin('/clusters');
    return [...new Set([...text.matchAll(/^(outbound\|[^:]*)::/gm)].map(([, name]) => name ?? ''))].sort();
  }

  /** Connections from the proxy to endpoints. */
  async connections(): Promise<number> {
    const text = await this.envoy.admin('/clusters');
    return [...text.matchAll(/^outbound\|.*::cx_active::(\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
  }

  /** @throws {Error} after half a minute */
  async until(holds: () => Promise<boolean>): Promise<void> {
    for (const end = performance.now() + 30_000; performance.now() < end; ) {
      if (await holds()) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`did not come about: ${this.running?.envoy.log()}`);
  }

  /** The control plane is gone while something is done. */
  async withoutControlPlane(work: () => Promise<void>): Promise<void> {
    const { harness, client } = this.parts;
    await harness.stop();
    await work();
    const again = await startHarness(this.sources(), {}, { atPort: harness.port });
    again.pods.set(client.uid, client);
    this.parts.harness = again;
  }

  async stop(): Promise<void> {
    await this.running?.envoy.stop();
    await this.running?.harness.stop();
  }

  private get parts() {
    if (this.running === undefined) throw new Error('the sidecar has not started');
    return this.running;
  }

  private sources() {
    const { delayMs, ports } = this.options;
    const [source] = this.mesh.sources;
    if (source === undefined) throw new Error('a mesh has a source');
    return [delayMs === undefined ? source : slowClusters(source, delayMs), boundListeners(this.mesh.cache, ports)];
  }
}
