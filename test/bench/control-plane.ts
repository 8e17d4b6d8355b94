import type { V1Pod } from '@kubernetes/client-node';
import { Registry } from 'prom-client';
import { createLogger } from 'winston';
import type { Authenticator } from '../../operator/ads/authenticator.ts';
import { AdsServer } from '../../operator/ads/server.ts';
import { MeshBuilder } from '../../operator/mesh/mesh-builder.ts';
import { keyOf, type MeshChange } from '../../operator/mesh/mesh-object.ts';
import { pod, SETTINGS, service, slice } from '../../operator/mesh/testing/objects.ts';
import type { ProxyIdentity, ResourceSource, XdsResource } from '../../operator/xds/resource.ts';
import { XdsCache } from '../../operator/xds/xds-cache.ts';
import { makeServerCertificate } from '../feature/support/server-certificate.ts';
import type { MeshSize, ServerAnswer, ServerRequest } from './messages.ts';
import { TurnWatch } from './turn-watch.ts';

/** The child that is measured: mesh, translation and streams as in the operator, without Kubernetes and the certificate authority. */

const PODS_PER_SERVICE = 3;
const size = JSON.parse(process.argv[2] ?? '{}') as MeshSize;
const pods = Array.from({ length: size.proxies }, (_, index) => meshPod(index));
const builder = new MeshBuilder(SETTINGS);
const cache = new XdsCache();
const registry = new Registry();
const given = new WeakSet<Uint8Array>();
let encoded = 0;

const server = new AdsServer({
  sources: [countingSource(cache)],
  authenticator: trustingAuthenticator(),
  metricsSink: { receive: () => undefined },
  logger: createLogger({ silent: true }),
  registry,
  settings: { maxUnauthenticatedPerAddress: 100_000, maxUnauthenticated: 100_000, authenticateWithinMs: 120_000 },
});

function meshPod(index: number): V1Pod {
  const address = `10.${1 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
  const app = `app-${index % size.services}`;
  return pod(`p-${index}`, { address, labels: { app }, deployment: app, revision: 'r1', node: `node-${index % 50}` });
}

function podsOf(index: number, round: number): V1Pod[] {
  const backing = pods.length === 0 ? [meshPod(0)] : pods;
  return Array.from({ length: PODS_PER_SERVICE }, (_, nth) => {
    const chosen = backing[(index + (nth + round) * size.services) % backing.length];
    return chosen ?? meshPod(0);
  });
}

function sliceOf(index: number, round: number): MeshChange {
  const object = slice(`app-${index}`, podsOf(index, round));
  // One endpoint more or less in every other round: a change that a proxy must hear of.
  const endpoints = [
    ...(object.endpoints ?? []),
    { addresses: [`10.200.0.${1 + (round % 250)}`], conditions: { ready: true } },
  ];
  return { kind: 'EndpointSlice', key: keyOf(object.metadata), object: { ...object, endpoints } };
}

function fill(): void {
  const changes: MeshChange[] = [
    {
      kind: 'Namespace',
      key: 'shop',
      object: { metadata: { name: 'shop', labels: { 'heddle.dev/injection': 'enabled' } } },
    },
  ];
  for (const object of pods) {
    changes.push({ kind: 'Pod', key: keyOf(object.metadata), object });
  }
  for (let index = 0; index < size.services; index++) {
    const clusterIP = `10.96.${index >> 8}.${index & 255}`;
    const object = service(`app-${index}`, { app: `app-${index}` }, { clusterIP, clusterIPs: [clusterIP] });
    changes.push({ kind: 'Service', key: keyOf(object.metadata), object }, sliceOf(index, 0));
  }
  publish(changes);
}

function publish(changes: readonly MeshChange[]): void {
  const { snapshot, delta } = builder.apply(changes);
  cache.update(snapshot, delta);
}

/** Counts the distinct encodings that leave the cache: one per change, however many proxies get it. */
function countingSource(source: ResourceSource): ResourceSource {
  const count = (resource: XdsResource | undefined): XdsResource | undefined => {
    if (resource !== undefined && !given.has(resource.bytes)) {
      given.add(resource.bytes);
      encoded++;
    }
    return resource;
  };
  return {
    typeUrls: source.typeUrls,
    wildcard: (proxy, typeUrl) => source.wildcard(proxy, typeUrl),
    lookup: (proxy, typeUrl, name) => count(source.lookup(proxy, typeUrl, name)),
    onChange: (listener) => source.onChange(listener),
  };
}

/** Takes the pod's index for a token: what is measured is sending, and the API server's part of authentication is not ours. */
function trustingAuthenticator(): Authenticator {
  const identities: ProxyIdentity[] = pods.map(({ metadata, spec }) => ({
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
    publish([sliceOf(request.service, request.round)]);
    return { changedAt };
  }
  const { user, system } = process.cpuUsage();
  return {
    cpuSeconds: (user + system) / 1e6,
    encoded,
    pushes: await total('heddle_ads_pushes_total'),
    bytes: await total('heddle_ads_pushed_bytes_total'),
    longestTurnMs: turns.take(),
    rss: process.memoryUsage.rss(),
    heap: request.heap ? memory() : 0,
  };
}

const turns = new TurnWatch();
const certificate = await makeServerCertificate();
server.setCertificate(certificate);
fill();
const port = await server.listen(0, '127.0.0.1');
process.on('message', (request: ServerRequest) => {
  void answer(request).then((reply) => process.send?.(reply));
});
process.on('disconnect', () => process.exit(0));
process.send?.({ port, rootPem: certificate.rootPem });
