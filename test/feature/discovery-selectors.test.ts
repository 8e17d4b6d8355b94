import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { Registry } from 'prom-client';
import { readMeshConfig } from '../../api/mesh-config.ts';
import { ENDPOINT_SLICE, NAMESPACE, POD, SERVICE, TOKEN_REVIEW } from '../../kube/kinds.ts';
import { silentLogger } from '../../kube/logger.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { ResourceKind } from '../../kube/resource-kind.ts';
import { eventually, MemoryApi } from '../../kube/testing/memory-api.ts';
import { AdsServer } from '../../operator/ads/server.ts';
import { TOKEN_SETTINGS, TokenAuthenticator } from '../../operator/ads/token-authenticator.ts';
import { KeyFetcher } from '../../operator/jwks/key-fetcher.ts';
import { pod, service, slice } from '../../operator/mesh/testing/objects.ts';
import { blockList } from '../../operator/outward/destination.ts';
import { ClusterStores } from '../../operator/wiring/cluster-stores.ts';
import { Pipeline } from '../../operator/wiring/pipeline.ts';
import { tokenPorts } from '../../operator/wiring/token-review.ts';
import { letUndiscoveredGo } from '../../operator/wiring/undiscovered-proxies.ts';
import { CLUSTER_TYPE } from '../../operator/xds/resource.ts';
import { XdsCache } from '../../operator/xds/xds-cache.ts';
import { AdsClient, namesOf } from './support/ads-client.ts';
import { makeToken } from './support/ads-harness.ts';
import { makeServerCertificate } from './support/server-certificate.ts';

const IN = { 'heddle.dev/injection': 'enabled', mesh: 'on' };
const OUT = { 'heddle.dev/injection': 'enabled' };
const CONFIG = readMeshConfig(
  '{discoverySelectors: [{matchLabels: {mesh: "on"}}], proxy: {configurationLoading: eager, natAddresses: [127.0.0.1]}}',
);
const clusterOf = (name: string, namespace: string) => `outbound|80||${name}.${namespace}.svc.cluster.local`;
const ORDERS = clusterOf('orders', 'shop');
const BILLING = clusterOf('billing', 'other');

/** The operator from the API server's watches to a real stream, without what signs and writes. */
class Operator {
  readonly api = new MemoryApi();
  readonly stores = new ClusterStores(this.api, silentLogger, CONFIG, 'heddle-system');
  /** Pods of which was told that they ask in vain. */
  readonly told: string[] = [];
  /** Tokens that the API server was asked about. */
  reviews = 0;
  readonly #pods = new Map<string, V1Pod>();
  readonly #clients: AdsClient[] = [];
  #ads: AdsServer | undefined;
  #port = 0;
  #rootPem = '';

  async start(): Promise<void> {
    await this.stores.start();
    const cache = new XdsCache();
    const pipeline = new Pipeline(CONFIG, cache, silentLogger, (error) => Promise.reject(error));
    const jwks = new KeyFetcher({ allowed: blockList([]), logger: silentLogger });
    pipeline.start({ ...this.stores, jwks });
    const review = {
      create: async <T extends KubeObject>(kind: ResourceKind, object: T): Promise<T> => {
        this.reviews++;
        if (kind !== TOKEN_REVIEW) throw new Error(`unexpected ${kind.kind}`);
        const { token } = (object as unknown as { spec: { token: string } }).spec;
        return { ...object, status: this.#statusOf(token) };
      },
    };
    const ports = tokenPorts(
      review,
      this.stores,
      (uid) => pipeline.snapshot.workloads.has(uid),
      ({ metadata }) => this.told.push(`${metadata?.namespace}/${metadata?.name}`),
    );
    const certificate = await makeServerCertificate();
    this.#rootPem = certificate.rootPem;
    this.#ads = new AdsServer({
      sources: [cache],
      authenticator: new TokenAuthenticator(ports, { ...TOKEN_SETTINGS, rejectedMs: 0 }),
      metricsSink: { receive: () => undefined },
      logger: silentLogger,
      registry: new Registry(),
    });
    letUndiscoveredGo(this.stores, this.#ads);
    this.#ads.setCertificate(certificate);
    this.#port = await this.#ads.listen(0, '127.0.0.1');
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.#ads?.stop(50);
    await this.stores.stop();
  }

  /** Makes a namespace, or gives one these labels. */
  async label(name: string, labels: Record<string, string>): Promise<void> {
    const object = { metadata: { name, labels } };
    if (this.stores.namespaces.get(name) === undefined) await this.api.create(NAMESPACE, object);
    else await this.api.update(NAMESPACE, object);
  }

  async addPod(namespace: string, name: string, address: string): Promise<V1Pod> {
    const made = pod(name, { namespace, address, labels: { app: name } }) as V1Pod & KubeObject;
    const created = await this.api.create(POD, made);
    this.#pods.set(tokenOf(created), created);
    return created;
  }

  /** A Service with one pod. */
  async addService(namespace: string, name: string, address: string): Promise<void> {
    const app = await this.addPod(namespace, `${name}-app`, address);
    const inNamespace = <T extends KubeObject>(object: T): T => {
      return { ...object, metadata: { ...object.metadata, namespace } };
    };
    await this.api.create(SERVICE, inNamespace(service(name, { app: `${name}-app` }) as KubeObject));
    await this.api.create(ENDPOINT_SLICE, inNamespace(slice(name, [app]) as KubeObject));
  }

  /** A stream of a pod's proxy that asks for all clusters. */
  connect(proxy: V1Pod): AdsClient {
    const client = this.open(proxy);
    client.send(CLUSTER_TYPE, { subscribe: ['*'] });
    return client;
  }

  /** The same, before it has asked for anything. */
  open({ metadata, status: state }: V1Pod): AdsClient {
    const { name = '', namespace = '' } = metadata ?? {};
    const client = new AdsClient({
      port: this.#port,
      rootPem: this.#rootPem,
      token: tokenOf({ metadata }),
      nodeId: `sidecar~${state?.podIPs?.[0]?.ip}~${name}.${namespace}~${namespace}.svc.cluster.local`,
    });
    this.#clients.push(client);
    return client;
  }

  #statusOf(token: string): object {
    const { metadata, spec } = this.#pods.get(token) ?? {};
    const extra = {
      'authentication.kubernetes.io/pod-name': [metadata?.name],
      'authentication.kubernetes.io/pod-uid': [metadata?.uid],
    };
    const username = `system:serviceaccount:${metadata?.namespace}:${spec?.serviceAccountName}`;
    return { authenticated: true, audiences: ['heddle'], user: { username, extra } };
  }
}

const tokens = new Map<string, string>();

/** The token of a pod, always the same. */
function tokenOf({ metadata }: { readonly metadata?: V1Pod['metadata'] | undefined }): string {
  const uid = metadata?.uid ?? '';
  const token = tokens.get(uid) ?? makeToken(uid, 3_600_000);
  tokens.set(uid, token);
  return token;
}

/** Takes responses until all of some clusters came; gives all that came. @throws {Error} when one does not come */
async function clustersUntil(stream: AdsClient, ...clusters: readonly string[]): Promise<Set<string>> {
  const came = new Set<string>();
  while (!clusters.every((name) => came.has(name))) {
    for (const name of namesOf(await stream.nextAcked(CLUSTER_TYPE))) came.add(name);
  }
  return came;
}

describe('discoverySelectors', () => {
  let operator: Operator;
  let client: V1Pod;

  beforeEach(async () => {
    operator = new Operator();
    await operator.label('shop', IN);
    await operator.label('other', OUT);
    client = await operator.addPod('shop', 'client', '10.0.0.1');
    await operator.addService('shop', 'orders', '10.0.0.2');
    await operator.addService('other', 'billing', '10.0.0.3');
    await operator.start();
  });

  afterEach(() => operator.stop());

  test('keep Services of other namespaces from proxies, until the namespace gets the label, and again without it', async () => {
    const stream = operator.connect(client);
    const first = namesOf(await stream.nextAcked(CLUSTER_TYPE));
    expect(first).toContain(ORDERS);
    expect(first).not.toContain(BILLING);
    expect([...operator.stores.services.keys()]).toEqual(['shop/orders']);

    await operator.label('other', IN);
    expect(await clustersUntil(stream, BILLING)).toEqual(new Set([BILLING]));

    await operator.label('other', OUT);
    let removed: readonly string[] = [];
    while (removed.length === 0) removed = (await stream.nextAcked(CLUSTER_TYPE)).removedResources;
    expect(removed).toEqual([BILLING]);
    expect(operator.told).toEqual([]);
  });

  test('follow what is made in a namespace once it has the label, and not before', async () => {
    const stream = operator.connect(client);
    await stream.nextAcked(CLUSTER_TYPE);
    await operator.addService('other', 'before', '10.0.0.4');
    await operator.label('other', IN);
    await clustersUntil(stream, clusterOf('before', 'other'), BILLING);
    await operator.addService('other', 'after', '10.0.0.5');
    await clustersUntil(stream, clusterOf('after', 'other'));
  });

  test('refuse the proxies of other namespaces in a sentence, and serve them once they are discovered', async () => {
    const sidecar = await operator.addPod('other', 'sidecar', '10.0.0.9');
    await eventually(() => operator.stores.pods.get('other/sidecar') !== undefined);
    const refused = await operator.connect(sidecar).ended;
    expect(refused.code).toBe(status.PERMISSION_DENIED);
    expect(refused.details).toMatch(/^pod other\/sidecar gets no configuration: namespace other .*discoverySelectors/);
    expect(operator.told).toEqual(['other/sidecar']);

    await operator.label('other', IN);
    await eventually(() => operator.stores.discovery.has('other'));
    const served = operator.connect(sidecar);
    expect(namesOf(await served.nextAcked(CLUSTER_TYPE))).toContain(ORDERS);

    await operator.label('other', OUT);
    const ended = await served.ended;
    expect(ended.details).toMatch(/^namespace other is not part of the mesh/);
    // It was told to go before it was told to have nothing.
    expect(served.responses.flatMap(({ removedResources }) => removedResources)).toEqual([]);
  });

  test('refuse a stream that was let in before its namespace left the mesh, and asks after', async () => {
    const stream = operator.open(client);
    await eventually(() => operator.reviews > 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await operator.label('shop', OUT);
    await eventually(() => !operator.stores.discovery.has('shop'));
    stream.send(CLUSTER_TYPE, { subscribe: ['*'] });
    expect((await stream.ended).details).toMatch(/^pod shop\/client gets no configuration: namespace shop /);
    expect(stream.responses).toEqual([]);
  });
});
