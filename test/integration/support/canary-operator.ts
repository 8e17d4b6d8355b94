import { meshConfig } from '../../../api/mesh-config.ts';
import type { KubeApi } from '../../../kube/kube-api.ts';
import { silentLogger } from '../../../kube/logger.ts';
import { type CanaryController, startCanary } from '../../../operator/canary/canary-controller.ts';
import { traffic } from '../../../operator/canary/observation.fixture.ts';
import { ClusterStores } from '../../../operator/wiring/cluster-stores.ts';

/** What of the operator has to do with Canaries, at the API server under test; what sidecars would count is for the test to say. */
export class CanaryOperator {
  /** Requests of each look at the traffic, and how many of them failed. None at first: a step waits. */
  answers = { requests: 0, failures: 0 };
  readonly #stores: ClusterStores;
  readonly #api: KubeApi;
  readonly #namespace: string;
  #controller: CanaryController | undefined;

  /** @param namespace where it acts; Canaries of others are not its */
  constructor(api: KubeApi, namespace: string) {
    this.#api = api;
    this.#namespace = namespace;
    this.#stores = new ClusterStores(only(api, namespace), silentLogger, meshConfig.parse({}), 'heddle-system');
  }

  async start(): Promise<void> {
    await this.#stores.start();
    this.#controller = startCanary({
      stores: this.#stores,
      api: this.#api,
      mesh: {
        coverage: () => ({ callers: 1, acknowledged: 1 }),
        addressed: () => ({ callers: 1, acknowledged: 1 }),
      },
      traffic: { window: () => traffic(this.answers.requests, this.answers.failures) },
      alerts: { send: () => undefined },
      hooks: {
        answer: () => undefined,
        want: () => undefined,
        tell: () => undefined,
        forget: () => undefined,
        onAnswer: () => undefined,
      },
      templates: { answer: () => undefined, want: () => undefined },
      usage: { ofNamespace: () => undefined },
      clusterDomain: 'cluster.local',
      isDiscovered: (namespace) => namespace === this.#namespace,
      isLeader: () => true,
      event: () => undefined,
      logger: silentLogger,
    });
  }

  async stop(): Promise<void> {
    await this.#controller?.stop();
    await this.#stores.stop();
  }
}

/** Sees of namespaced objects those of one namespace. */
function only(api: KubeApi, namespace: string): Pick<KubeApi, 'list' | 'watch'> {
  return {
    list: (kind, options) => api.list(kind, { ...options, namespace }),
    watch: (kind, options) => api.watch(kind, { ...options, namespace }),
  };
}
