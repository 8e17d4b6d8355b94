import type { X509Certificate } from 'node:crypto';
import { Controller, type ReconcileResult } from '../../kube/controller.ts';
import { MUTATING_WEBHOOK_CONFIGURATION, SECRET, VALIDATING_WEBHOOK_CONFIGURATION } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { isKubeError } from '../../kube/kube-error.ts';
import { type Logger, silentLogger } from '../../kube/logger.ts';
import type { ObjectMeta } from '../../kube/object.ts';
import { Reflector } from '../../kube/reflector.ts';
import type { ResourceKind } from '../../kube/resource-kind.ts';
import { WEBHOOK_SERVICE, WEBHOOK_TLS_SECRET } from '../../proxy/names.ts';
import type { CertificateAuthority } from './authority.ts';
import type { Lifetimes } from './lifetimes.ts';
import { parseCertificates, parsePrivateKey } from './pem.ts';

export interface WebhookCertificateOptions {
  readonly api: Pick<KubeApi, 'list' | 'watch' | 'apply' | 'patch' | 'delete'>;
  readonly namespace: string;
  /** Usually cluster.local. */
  readonly clusterDomain: string;
  readonly authority: CertificateAuthority;
  readonly lifetimes: Lifetimes;
  readonly logger?: Logger;
  readonly now?: () => number;
}

interface TlsSecret {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  type?: string;
  data?: Record<string, string>;
}

interface WebhookConfiguration {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  webhooks?: { name: string; clientConfig?: { caBundle?: string } }[];
}

const FIELD_MANAGER = 'heddle-certificates';
/** Certificates know whole seconds. */
const SECOND_MS = 1000;
/** Where another program writes other bundles, we do not fight it faster than this. */
const MIN_PATCH_INTERVAL_MS = 1000;

const decode = (text: string | undefined): string => Buffer.from(text ?? '', 'base64').toString('utf8');
const encode = (text: string): string => Buffer.from(text).toString('base64');

/** What the webhook's certificate should be like. */
export interface ExpectedCertificate {
  readonly dnsNames: readonly string[];
  readonly backdateMs: number;
  /** At most so long from its issue on; an intermediate may have allowed it less. */
  readonly lifetimeMs: number;
}

/**
 * Judges the webhook's Secret: why it must be written anew, or when.
 * @param now milliseconds since 1970
 */
export function renewalReason(
  data: Readonly<Record<string, string>> | undefined,
  authority: Pick<CertificateAuthority, 'state' | 'trustBundle'>,
  expected: ExpectedCertificate,
  now: number,
): { readonly reason: string } | { readonly renewAt: number } {
  if (!data) return { reason: 'Missing' };
  let chain: X509Certificate[];
  try {
    chain = parseCertificates(decode(data['tls.crt']), 'tls.crt');
    const key = parsePrivateKey(decode(data['tls.key']), 'tls.key');
    if (!chain[0]?.checkPrivateKey(key)) return { reason: 'KeyMismatch' };
  } catch {
    return { reason: 'Malformed' };
  }
  const [first, last] = [chain[0], chain.at(-1)];
  const root = authority.state?.signing.certificate;
  if (!first || !last || !root) return { reason: 'Malformed' };
  const isSigned =
    last.fingerprint256 === root.fingerprint256 || (last.checkIssued(root) && last.verify(root.publicKey));
  if (!isSigned) return { reason: 'OtherRoot' };
  if (!expected.dnsNames.every((name) => first.checkHost(name))) return { reason: 'OtherName' };
  if (decode(data['ca.crt']) !== authority.trustBundle) return { reason: 'TrustChanged' };
  const expiresAt = first.validToDate.getTime();
  // The settings are read at the start: what was issued before may live longer than is wanted now.
  if (expiresAt - now > expected.lifetimeMs + SECOND_MS) return { reason: 'LifetimeShortened' };
  const issuedAt = first.validFromDate.getTime() + expected.backdateMs;
  if (issuedAt > now + SECOND_MS) return { reason: 'BackdateLengthened' };
  const renewAt = issuedAt + (expiresAt - issuedAt) / 2;
  return renewAt <= now ? { reason: 'HalfLife' } : { renewAt };
}

/** DNS names under which the API server calls the webhook. */
export function webhookNames(namespace: string, clusterDomain: string): string[] {
  const name = `${WEBHOOK_SERVICE}.${namespace}.svc`;
  return [name, `${name}.${clusterDomain}`];
}

/** Keeps the webhook's serving certificate and the `caBundle` of its configurations; only the leader runs this. */
export class WebhookCertificate {
  readonly #options: WebhookCertificateOptions;
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #secret: Reflector<TlsSecret>;
  readonly #configurations: ReadonlyMap<string, Reflector<WebhookConfiguration>>;
  readonly #kinds: ReadonlyMap<string, ResourceKind>;
  readonly #patchedAt = new Map<string, number>();
  readonly #controller: Controller;
  #unsubscribe: (() => void)[] = [];

  constructor(options: WebhookCertificateOptions) {
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
    this.#now = options.now ?? Date.now;
    const { api, namespace } = options;
    const logger = this.#logger;
    const secretSelector = `metadata.name=${WEBHOOK_TLS_SECRET}`;
    this.#secret = new Reflector<TlsSecret>({ api, kind: SECRET, namespace, fieldSelector: secretSelector, logger });
    const kinds = [MUTATING_WEBHOOK_CONFIGURATION, VALIDATING_WEBHOOK_CONFIGURATION];
    this.#kinds = new Map(kinds.map((kind) => [kind.kind, kind]));
    const fieldSelector = `metadata.name=${WEBHOOK_SERVICE}`;
    this.#configurations = new Map(
      kinds.map((kind) => [kind.kind, new Reflector<WebhookConfiguration>({ api, kind, fieldSelector, logger })]),
    );
    this.#controller = new Controller({
      name: 'webhook-certificate',
      reconcile: (key) => (key === SECRET.kind ? this.#reconcileSecret() : this.#reconcileBundle(key)),
      backoffMs: [100, 10_000],
      logger,
    });
  }

  /** Begins; resolves when Secret and configurations have been looked for. */
  async start(): Promise<void> {
    const all = [this.#secret, ...this.#configurations.values()];
    await Promise.all(all.map((reflector) => reflector.start()));
    this.#unsubscribe = [
      this.#options.authority.onChange(() => this.#enqueueAll()),
      this.#secret.store.onChange(() => this.#controller.enqueue(SECRET.kind)),
    ];
    for (const [kind, reflector] of this.#configurations) {
      this.#unsubscribe.push(reflector.store.onChange(() => this.#controller.enqueue(kind)));
    }
    this.#enqueueAll();
    this.#controller.start();
  }

  async stop(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    const all = [this.#secret, ...this.#configurations.values()];
    await Promise.all([this.#controller.stop(), ...all.map((reflector) => reflector.stop())]);
  }

  #enqueueAll(): void {
    for (const key of [SECRET.kind, ...this.#configurations.keys()]) this.#controller.enqueue(key);
  }

  async #reconcileSecret(): Promise<ReconcileResult> {
    const { api, namespace, clusterDomain, authority, lifetimes } = this.#options;
    if (!authority.state) return {};
    const present = this.#secret.store.get(`${namespace}/${WEBHOOK_TLS_SECRET}`);
    const dnsNames = webhookNames(namespace, clusterDomain);
    const expected = { dnsNames, backdateMs: lifetimes.backdateMs, lifetimeMs: lifetimes.webhookMs };
    const verdict = renewalReason(present?.data, authority, expected, this.#now());
    if ('renewAt' in verdict) return { requeueAfterMs: Math.min(verdict.renewAt - this.#now(), 3_600_000) };
    const names = dnsNames.map((dns) => ({ dns }));
    const issued = await authority.issue({ names, usage: ['serverAuth'], lifetimeMs: lifetimes.webhookMs });
    const data = {
      'tls.crt': encode(issued.chain),
      'tls.key': encode(issued.privateKey),
      'ca.crt': encode(authority.trustBundle),
    };
    const labels = { 'app.kubernetes.io/managed-by': 'heddle' };
    const metadata = { namespace, name: WEBHOOK_TLS_SECRET, labels };
    const secret: TlsSecret = { metadata, type: 'kubernetes.io/tls', data };
    try {
      await api.apply<TlsSecret>(SECRET, secret, { fieldManager: FIELD_MANAGER });
    } catch (error) {
      if (!isKubeError(error, 422) || !present) throw error;
      // Somebody made it with another type, which cannot be changed.
      await api.delete(SECRET, { namespace, name: WEBHOOK_TLS_SECRET });
      throw error;
    }
    this.#logger.info('webhook certificate written', { reason: verdict.reason, expiresAt: issued.expiresAt });
    // By then the watch has brought back what was just written.
    return { requeueAfterMs: 1000 };
  }

  async #reconcileBundle(key: string): Promise<ReconcileResult> {
    const { api, authority } = this.#options;
    const kind = this.#kinds.get(key);
    const configuration = this.#configurations.get(key)?.store.get(WEBHOOK_SERVICE);
    if (!kind || !configuration || authority.trustBundle === '') return {};
    const caBundle = encode(authority.trustBundle);
    const wrong = (configuration.webhooks ?? []).filter((webhook) => webhook.clientConfig?.caBundle !== caBundle);
    if (wrong.length === 0) return {};
    const waitMs = (this.#patchedAt.get(key) ?? Number.NEGATIVE_INFINITY) + MIN_PATCH_INTERVAL_MS - performance.now();
    if (waitMs > 0) return { requeueAfterMs: waitMs };
    this.#patchedAt.set(key, performance.now());
    const webhooks = wrong.map(({ name }) => ({ name, clientConfig: { caBundle } }));
    // With the version: a webhook that was removed meanwhile must not come back as a stump.
    const { resourceVersion } = configuration.metadata;
    const metadata = { resourceVersion };
    const options = { fieldManager: FIELD_MANAGER };
    await api.patch(kind, { name: WEBHOOK_SERVICE }, 'strategic', { metadata, webhooks }, options);
    this.#logger.info('caBundle written', { kind: key, webhooks: webhooks.length });
    return { requeueAfterMs: MIN_PATCH_INTERVAL_MS };
  }
}
