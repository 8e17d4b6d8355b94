import type { ProxiesView } from '../../../api/view/control-plane-view.ts';
import { waitUntil } from '../../../hack/mesh/wait.ts';
import type { MeshObject } from '../../../operator/mesh/mesh-object.ts';
import { SERVERS, SERVICES } from '../../feature/support/explained-shop.ts';
import type { Answer } from '../../feature/support/http-call.ts';
import type { Dashboard } from './dashboard.ts';
import type { TestNamespace } from './namespace.ts';
import { shopPodSpec } from './sample-shop.ts';

/** The port on which the pods of the shop serve. */
export const POD_PORT = 8080;
/** Kinds of the policies and routes that are drawn. */
const KINDS = [
  'virtualservice',
  'destinationrule',
  'peerauthentication',
  'authorizationpolicy',
  'requestauthentication',
];

/** A request as a pod is told to make it. */
export interface Asked {
  /** Whom the name stands for is called, whatever `headers` say. */
  readonly host: string;
  readonly method: string;
  readonly path: string;
  /** Names and values by turns. */
  readonly headers: readonly string[];
}

const ASK = `import { request } from 'node:http';
const ask = ({ host, method, path, headers }) => new Promise((resolve) => {
  const call = request({ host, port: 80, method, path, headers, agent: false }, (response) => {
    let body = '';
    response.setEncoding('utf8').on('data', (text) => { body += text; });
    response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }));
  });
  call.on('error', (error) => resolve({ status: 0, headers: {}, body: String(error) }));
  call.end();
});
console.log(JSON.stringify(await Promise.all(JSON.parse(process.argv[1]).map(ask))));`;

/** The shop that requests, routes and policies are drawn for, of the sample's pods in two namespaces. */
export class RandomShopInCluster {
  readonly #shop: TestNamespace;
  readonly #other: TestNamespace;
  readonly #dashboard: () => Dashboard;
  #held: readonly Applied[] = [];

  /** @param other where the caller `batch` is */
  constructor(shop: TestNamespace, other: TestNamespace, dashboard: () => Dashboard) {
    this.#shop = shop;
    this.#other = other;
    this.#dashboard = dashboard;
  }

  async start(): Promise<void> {
    const servers = SERVERS.map(({ name, app, version }) => pod(name, { app, version }, app !== 'legacy'));
    const services = SERVICES.map(({ name, app, port }) => {
      const ports = [{ name: port, port: 80, targetPort: POD_PORT }];
      return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { selector: { app }, ports } };
    });
    const front = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'front' },
      spec: { type: 'ExternalName', externalName: `ordering.${this.#shop.name}.svc.cluster.local` },
    };
    await Promise.all([
      this.#shop.apply(account, ...servers, ...services, front, pod('ui', { app: 'ui' }, true, 'ui')),
      this.#other.apply(account, pod('batch', { app: 'batch' }, true, 'ui')),
    ]);
    await Promise.all(
      [this.#shop, this.#other].map((space) =>
        space.run('wait', 'pods', '--all', '--for=condition=Ready', '--timeout=110s'),
      ),
    );
  }

  /** The namespaces that things are drawn for, by their names here. */
  here<T>(drawn: T): T {
    const text = JSON.stringify(drawn).replaceAll(/\bshop-2\b/g, this.#other.name);
    return JSON.parse(text.replaceAll(/\bshop\b(?!-)/g, this.#shop.name)) as T;
  }

  /** Puts routes and policies in the place of those before, and waits until the sidecars have acknowledged what comes of them. */
  async enforce(drawn: readonly MeshObject[]): Promise<void> {
    // What is for the whole mesh is left out: other tests are in it.
    const mine = drawn.filter(({ object }) => object.metadata?.namespace !== 'heddle-system');
    const objects = new Map(mine.map((entry) => [nameOf(this.#applied(entry)), this.#applied(entry)]));
    const gone = this.#held.filter((one) => !objects.has(nameOf(one)));
    const { kubectl } = this.#shop;
    if (gone.length > 0) await kubectl.run(['delete', '-f', '-'], { input: listOf(gone) });
    this.#held = [...objects.values()];
    if (this.#held.length > 0) await kubectl.apply(listOf(this.#held));
    await waitUntil('all of it in force', async () => (await this.#unheard()) ?? this.#unsynced());
  }

  /** Requests by one pod, all at once. */
  async ask(from: 'ui' | 'batch', asked: readonly Asked[]): Promise<Omit<Answer, 'ms'>[]> {
    const space = from === 'ui' ? this.#shop : this.#other;
    const exec = ['exec', from, '-c', 'app', '--', 'node', '--input-type=module', '-e', ASK, JSON.stringify(asked)];
    return JSON.parse(await space.run(...exec)) as Omit<Answer, 'ms'>[];
  }

  /** Keys stay as they were signed. */
  #applied({ kind, object }: MeshObject): Applied {
    const { apiVersion, metadata: drawn, spec } = object as unknown as Applied;
    const { name, namespace, annotations } = drawn;
    const metadata = { name, namespace: this.here(namespace), ...(annotations && { annotations }) };
    return { apiVersion, kind, metadata, spec: kind === 'RequestAuthentication' ? spec : this.here(spec) };
  }

  /** What the operator has not judged yet. */
  async #unheard(): Promise<string | undefined> {
    const lists = [this.#shop, this.#other].flatMap((space) => KINDS.map((kind) => space.list<Judged>(kind)));
    const late = (await Promise.all(lists)).flat().filter(({ metadata, status }) => {
      const { conditions = [] } = status ?? {};
      return !conditions.some(({ observedGeneration }) => observedGeneration === metadata.generation);
    });
    return late.length === 0 ? undefined : late.map(({ metadata }) => metadata.name).join(', ');
  }

  async #unsynced(): Promise<string | undefined> {
    const views = [this.#shop, this.#other].map(({ name }) =>
      this.#dashboard().get<ProxiesView>(`/api/proxies?namespace=${name}`),
    );
    const proxies = (await Promise.all(views)).flatMap((view) => view.proxies);
    const late = proxies.filter(({ state }) => state !== 'synced');
    return late.length === 0 ? undefined : late.map(({ pod: name, state }) => `${name} ${state}`).join(', ');
  }
}

interface Applied {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string; readonly annotations?: object };
  readonly spec: unknown;
}

interface Judged {
  readonly metadata: { readonly name: string; readonly generation: number };
  readonly status?: { readonly conditions?: readonly { readonly observedGeneration?: number }[] };
}

const nameOf = ({ kind, metadata: { namespace, name } }: Applied): string => `${kind} ${namespace}/${name}`;
const listOf = (items: readonly object[]): string => JSON.stringify({ apiVersion: 'v1', kind: 'List', items });

const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'ui' } };

/** A pod of the shop that calls nobody by itself, as the last of the sample's services. */
function pod(name: string, labels: Record<string, string>, sidecar: boolean, serviceAccountName = 'default'): object {
  const container = {
    ports: [{ name: 'http', containerPort: POD_PORT }],
    readinessProbe: { httpGet: { path: '/readyz', port: POD_PORT }, periodSeconds: 1, timeoutSeconds: 5 },
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { ...labels, ...(sidecar ? {} : { 'sidecar.istio.io/inject': 'false' }) } },
    spec: { serviceAccountName, ...shopPodSpec({ ROLE: 'inventory', DRAIN_SECONDS: '0' }, container) },
  };
}
