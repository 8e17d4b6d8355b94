import { stringify } from 'yaml';
import { Controller } from '../../kube/controller.ts';
import { CONFIG_MAP } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { isNotFound } from '../../kube/kube-error.ts';
import { type Logger, silentLogger } from '../../kube/logger.ts';
import type { KubeObject, ObjectMeta } from '../../kube/object.ts';
import { Reflector } from '../../kube/reflector.ts';
import type { ReadStore } from '../../kube/store.ts';
import {
  SYSTEM_NAMESPACE,
  TRUST_CONFIG_MAP,
  TRUST_PEM_KEY,
  TRUST_SDS_KEY,
  XDS_TRUST_SECRET,
} from '../../proxy/names.ts';
import { SECRET_TYPE } from '../xds/resource.ts';
import type { CertificateAuthority } from './authority.ts';

/** Where nothing is ever injected: the namespaces a cluster, Istio and Heddle start from. As in the webhook's selector. */
export const NEVER_INJECTED: ReadonlySet<string> = new Set([
  'kube-system',
  'kube-public',
  'kube-node-lease',
  'istio-system',
  SYSTEM_NAMESPACE,
]);

/** A Namespace, as far as it matters here. */
export type NamespaceObject = KubeObject & { status?: { phase?: string } };

interface ConfigMapObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  data?: Record<string, string>;
}

export interface TrustConfigMapsOptions {
  readonly api: Pick<KubeApi, 'list' | 'watch' | 'apply'>;
  readonly namespaces: ReadStore<NamespaceObject>;
  readonly authority: CertificateAuthority;
  readonly logger?: Logger;
}

/**
 * The ConfigMap's data for a trust bundle (PEM): the PEM, and an SDS file, a DiscoveryResponse with one Secret, because
 * Envoy reloads a validation context from such a file but not a `trusted_ca` from a bare PEM.
 */
export function trustData(bundle: string): Record<string, string> {
  const secret = {
    '@type': SECRET_TYPE,
    name: XDS_TRUST_SECRET,
    validation_context: { trusted_ca: { inline_string: bundle } },
  };
  return { [TRUST_PEM_KEY]: bundle, [TRUST_SDS_KEY]: stringify({ resources: [secret] }) };
}

/** Keeps the trust ConfigMap in every namespace that could hold an injected pod; only the leader runs this. */
export class TrustConfigMaps {
  readonly #options: TrustConfigMapsOptions;
  readonly #reflector: Reflector<ConfigMapObject>;
  readonly #controller: Controller;
  readonly #unsubscribe: (() => void)[] = [];

  constructor(options: TrustConfigMapsOptions) {
    this.#options = options;
    const logger = options.logger ?? silentLogger;
    this.#reflector = new Reflector<ConfigMapObject>({
      api: options.api,
      kind: CONFIG_MAP,
      fieldSelector: `metadata.name=${TRUST_CONFIG_MAP}`,
      logger,
    });
    this.#controller = new Controller({
      name: 'trust-config-maps',
      reconcile: (namespace) => this.#reconcile(namespace),
      concurrency: 8,
      backoffMs: [100, 10_000],
      logger,
    });
  }

  /** Begins; resolves when the present ConfigMaps are known. */
  async start(): Promise<void> {
    const { namespaces, authority } = this.#options;
    await Promise.all([this.#reflector.start(), namespaces.synced]);
    this.#unsubscribe.push(
      namespaces.onChange(({ key }) => this.#controller.enqueue(key)),
      this.#reflector.store.onChange(({ key }) => this.#controller.enqueue(key.slice(0, key.indexOf('/')))),
      authority.onChange(({ trust }) => trust && this.#enqueueAll()),
    );
    this.#enqueueAll();
    this.#controller.start();
  }

  async stop(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    await Promise.all([this.#controller.stop(), this.#reflector.stop()]);
  }

  #enqueueAll(): void {
    for (const namespace of this.#options.namespaces.keys()) this.#controller.enqueue(namespace);
  }

  async #reconcile(namespace: string): Promise<undefined> {
    const { api, namespaces, authority } = this.#options;
    const found = namespaces.get(namespace);
    const isGoing = found?.status?.phase === 'Terminating' || found?.metadata?.deletionTimestamp !== undefined;
    if (!found || isGoing || NEVER_INJECTED.has(namespace) || authority.trustBundle === '') return;
    const data = trustData(authority.trustBundle);
    const present = this.#reflector.store.get(`${namespace}/${TRUST_CONFIG_MAP}`)?.data;
    if (present && Object.entries(data).every(([key, value]) => present[key] === value)) return;
    const labels = { 'app.kubernetes.io/managed-by': 'heddle' };
    const metadata = { namespace, name: TRUST_CONFIG_MAP, labels };
    try {
      await api.apply<ConfigMapObject>(CONFIG_MAP, { metadata, data }, { fieldManager: 'heddle-certificates' });
    } catch (error) {
      if (!isNotFound(error)) throw error; // 404: the namespace went meanwhile.
    }
  }
}
