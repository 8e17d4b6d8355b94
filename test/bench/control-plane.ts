import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Registry } from 'prom-client';
import { createLogger, transports } from 'winston';
import type { Authenticator } from '../../operator/ads/authenticator.ts';
import { AdsServer } from '../../operator/ads/server.ts';
import { MeshBuilder } from '../../operator/mesh/mesh-builder.ts';
import type { MeshChange } from '../../operator/mesh/mesh-object.ts';
import { SETTINGS } from '../../operator/mesh/testing/objects.ts';
import { INBOUND_LISTENER } from '../../operator/xds/names.ts';
import { LISTENER_TYPE, type ProxyIdentity, type XdsResource } from '../../operator/xds/resource.ts';
import { XdsCache } from '../../operator/xds/xds-cache.ts';
import { boundInbound } from '../feature/support/bound-inbound.ts';
import { makeServerCertificate } from '../feature/support/server-certificate.ts';
import { BenchMesh } from './bench-mesh.ts';
import { CallCount } from './call-count.ts';
import type { MeshSize, ServerAnswer, ServerRequest } from './messages.ts';
import { TurnWatch } from './turn-watch.ts';

/** The child that is measured: mesh, translation and streams as in the operator, without Kubernetes and the certificate authority. */

/** On a busy machine the proxies, all in one process, are slow: no reason to give them up. */
const PATIENCE_MS = 1_200_000;
const DELAY_PERIOD_MS = 5;
const size = JSON.parse(process.argv[2] ?? '{}') as MeshSize;
const mesh = new BenchMesh(size);
const builder = new MeshBuilder({
  ...SETTINGS,
  proxy: { configurationLoading: size.onDemand === true ? 'on-demand' : 'eager' },
});
const COUNTED = Symbol('counted');
let encoded = 0;

/** Counts the distinct encodings that leave the cache: one per change, however many proxies get it. */
class CountingCache extends XdsCache {
  private readonly real = boundInbound(
    { lookup: (proxy, typeUrl, name) => super.lookup(proxy, typeUrl, name) },
    size.inboundAt ?? 0,
  );

  override lookup(proxy: ProxyIdentity, typeUrl: string, name: string): XdsResource | undefined {
    const own = this.isReal(proxy, typeUrl) ? this.real.lookup(proxy, typeUrl, name) : undefined;
    const resource: (XdsResource & { [COUNTED]?: true }) | undefined = own ?? super.lookup(proxy, typeUrl, name);
    if (resource !== undefined && resource[COUNTED] === undefined) {
      resource[COUNTED] = true;
      encoded++;
    }
    return resource;
  }

  override wildcard(proxy: ProxyIdentity, typeUrl: string): ReadonlyMap<string, XdsResource> {
    return this.isReal(proxy, typeUrl) ? this.real.wildcard(proxy, typeUrl) : super.wildcard(proxy, typeUrl);
  }

  override wildcardNames(proxy: ProxyIdentity, typeUrl: string): Iterable<string> {
    return this.isReal(proxy, typeUrl) ? [INBOUND_LISTENER] : super.wildcardNames(proxy, typeUrl);
  }

  override inWildcard(proxy: ProxyIdentity, typeUrl: string, name: string): boolean {
    return this.isReal(proxy, typeUrl) ? name === INBOUND_LISTENER : super.inWildcard(proxy, typeUrl, name);
  }

  private isReal({ uid }: ProxyIdentity, typeUrl: string): boolean {
    return size.inboundAt !== undefined && typeUrl === LISTENER_TYPE && uid === mesh.pods.at(-1)?.metadata?.uid;
  }
}

const cache = new CountingCache();
const registry = new Registry();
const hosts = new CallCount();

const server = new AdsServer({
  sources: [cache],
  authenticator: trustingAuthenticator(),
  metricsSink: { receive: () => undefined },
  logger: createLogger({ level: 'error', transports: [new transports.Console()] }),
  registry,
  settings: {
    // All proxies have one address.
    maxUnauthenticatedPerAddress: 100_000,
    maxUnauthenticated: 100_000,
    ...(size.asShipped !== true && {
      authenticateWithinMs: PATIENCE_MS,
      firstMessageMs: PATIENCE_MS,
      writeStallMs: PATIENCE_MS,
      answerMs: PATIENCE_MS,
      keepaliveTimeoutMs: PATIENCE_MS,
    }),
  },
});

function publish(changes: readonly MeshChange[]): void {
  const { snapshot, delta } = builder.apply(changes);
  cache.update(snapshot, delta);
}

/** Takes the pod's index for a token: what is measured is sending, and the API server's part of authentication is not ours. */
function trustingAuthenticator(): Authenticator {
  const identities: ProxyIdentity[] = mesh.pods.map(({ metadata, spec }) => ({
    uid: metadata?.uid ?? '',
    podName: metadata?.name ?? '',
    namespace: metadata?.namespace ?? '',
    serviceAccount: spec?.serviceAccountName ?? '',
  }));
  return {
    authenticate: async ({ token }) => {
      const identity = identities[Number(token)];
      if (identity === undefined) {
        throw new Error(`no pod ${token}`);
      }
      return { identity, expiresAt: Date.now() + 86_400_000, checkNodeId: () => undefined };
    },
  };
}

async function total(name: string): Promise<number> {
  const metric = await registry.getSingleMetric(name)?.get();
  return metric?.values.reduce((sum, { value }) => sum + value, 0) ?? 0;
}

function memory(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function answer(request: ServerRequest): Promise<ServerAnswer> {
  if (request.kind === 'change') {
    const changedAt = performance.timeOrigin + performance.now();
    publish([mesh[request.change](request.service, request.round)]);
    return { changedAt };
  }
  if (request.kind === 'count-hosts') {
    await hosts.start();
    return { counted: 0 };
  }
  if (request.kind === 'hosts') {
    return { counted: await hosts.stop('operator/xds/virtual-hosts.ts', 'buildVirtualHost') };
  }
  const { user, system } = process.cpuUsage();
  return {
    cpuSeconds: (user + system) / 1e6,
    encoded,
    resources: await total('heddle_ads_pushed_resources_total'),
    pushes: await total('heddle_ads_pushes_total'),
    bytes: await total('heddle_ads_pushed_bytes_total'),
    longestTurnMs: turns.take(),
    delayP99Ms: takeDelay(),
    rss: process.memoryUsage.rss(),
    heap: request.heap ? memory() : 0,
  };
}

/** In ms, above the period of the timer that is watched. */
function takeDelay(): number {
  const ms = delays.percentile(99) / 1e6 - DELAY_PERIOD_MS;
  delays.reset();
  return Math.max(0, ms);
}

const turns = new TurnWatch();
const delays = monitorEventLoopDelay({ resolution: DELAY_PERIOD_MS });
delays.enable();
const certificate = size.listen?.certificate ?? (await makeServerCertificate());
server.setCertificate(certificate);
publish([...mesh.all(), ...(size.changes ?? []).map((one) => mesh[one.change](one.service, one.round))]);
const port = await server.listen(size.listen?.port ?? 0, '127.0.0.1');
process.on('message', (request: ServerRequest) => {
  void answer(request).then((reply) => process.send?.(reply));
});
process.on('disconnect', () => process.exit(0));
process.send?.({ port, certificate });
