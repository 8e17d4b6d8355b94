import type { V1MutatingWebhookConfiguration, V1Namespace } from '@kubernetes/client-node';
import type { Canary, CanarySpec } from '../api/canary.ts';
import { CANARY, MUTATING_WEBHOOK_CONFIGURATION, NAMESPACE } from '../kube/kinds.ts';
import type { KubeApi } from '../kube/kube-api.ts';
import { isNotFound } from '../kube/kube-error.ts';
import type { Logger } from '../kube/logger.ts';
import type { KubeObject } from '../kube/object.ts';
import { Reflector } from '../kube/reflector.ts';
import { canaryTargets, isGated, isPrepared, TARGET_INDEX } from './canary-gate.ts';
import type { NamespaceView } from './inject/decision.ts';

type Namespace = V1Namespace & KubeObject;
type WebhookConfiguration = V1MutatingWebhookConfiguration & KubeObject;

/** Istio's injector, by the names of its configurations: plain, and one per revision. */
const ISTIO_INJECTOR = /^istio-(sidecar-injector|revision-tag)/;

/** Namespaces, Canaries and injectors, watched. */
export class WatchedCluster {
  readonly #api: KubeApi;
  readonly #namespaces: Reflector<Namespace>;
  readonly #canaries: Reflector<Canary & KubeObject>;
  readonly #injectors: Reflector<WebhookConfiguration>;

  constructor(api: KubeApi, logger: Logger) {
    this.#api = api;
    this.#namespaces = new Reflector<Namespace>({ api, logger, kind: NAMESPACE });
    this.#canaries = new Reflector<Canary & KubeObject>({ api, logger, kind: CANARY });
    this.#canaries.store.addIndex(TARGET_INDEX, canaryTargets);
    this.#injectors = new Reflector<WebhookConfiguration>({
      api,
      logger,
      kind: MUTATING_WEBHOOK_CONFIGURATION,
      transform: ({ apiVersion = '', kind = '', metadata = {} }) => ({ apiVersion, kind, metadata }),
    });
  }

  start(): Promise<unknown> {
    return Promise.all([this.#namespaces.start(), this.#canaries.start(), this.#injectors.start()]);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#namespaces.stop(), this.#canaries.stop(), this.#injectors.stop()]);
  }

  /** What is not known yet, one sentence each. */
  notReady(): string[] {
    const stores = {
      namespaces: this.#namespaces,
      canaries: this.#canaries,
      'webhook configurations': this.#injectors,
    };
    return Object.entries(stores)
      .filter(([, { store }]) => !store.hasSynced)
      .map(([name]) => `the first list of ${name} has not arrived`);
  }

  /**
   * A namespace with its labels. One that was made a moment ago may not have been heard of, so the API server is asked.
   * @throws as `KubeApi.get` when it cannot be asked
   */
  async namespace(name: string): Promise<NamespaceView> {
    const known = this.#namespaces.store.get(name) ?? (name ? await this.#fetch(name) : undefined);
    return { name, labels: known?.metadata?.labels ?? {}, istioInstalled: this.#istioInstalled() };
  }

  /**
   * Whether a pod is to be held back by the readiness gate. Of a Canary that is not known to be prepared the API server is asked: the operator may have
   * said so a moment ago, and a release may have begun at once.
   */
  async isGated(pod: Parameters<typeof isGated>[0], namespace: string): Promise<boolean> {
    const unprepared: Canary[] = [];
    const isKnownToBe = isGated(pod, namespace, (target) => {
      const found = this.#canaries.store.byIndex(TARGET_INDEX, target);
      unprepared.push(...found.filter((canary) => !isPrepared(canary)));
      return found;
    });
    if (isKnownToBe || unprepared.length === 0) return isKnownToBe;
    const asked = await Promise.all(unprepared.map(({ metadata }) => this.#fetchCanary(namespace, metadata.name)));
    return isGated(pod, namespace, () => asked.filter((canary) => canary !== undefined));
  }

  /** A Canary, by `namespace/name`. */
  findCanary(key: string): Canary | undefined {
    return this.#canaries.store.get(key);
  }

  /** Sentences about other Canaries that name a Canary's target; the oldest of them has it. */
  rivalsOf(namespace: string, name: string, { targetRef }: CanarySpec): string[] {
    const target = `${namespace}/${targetRef.kind}/${targetRef.name}`;
    const others = this.#canaries.store.byIndex(TARGET_INDEX, target).filter(({ metadata }) => metadata.name !== name);
    return others.map(
      ({ metadata }) =>
        `spec.targetRef: Canary ${metadata.name} names ${targetRef.kind} ${targetRef.name} too, and the older of the two has it; delete one`,
    );
  }

  /** Undefined when it cannot be had: what is unknown is not gated. */
  async #fetchCanary(namespace: string, name: string): Promise<Canary | undefined> {
    try {
      return await this.#api.get<Canary & KubeObject>(CANARY, { namespace, name });
    } catch {
      return undefined;
    }
  }

  async #fetch(name: string): Promise<Namespace | undefined> {
    try {
      return await this.#api.get<Namespace>(NAMESPACE, { name });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  #istioInstalled(): boolean {
    for (const { metadata } of this.#injectors.store.list()) {
      if (ISTIO_INJECTOR.test(metadata?.name ?? '') || metadata?.labels?.app === 'sidecar-injector') return true;
    }
    return false;
  }
}
