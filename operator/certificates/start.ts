import type { DestinationRule } from '../../api/destination-rule.ts';
import type { EventRecorder } from '../../kube/event-recorder.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import type { Logger } from '../../kube/logger.ts';
import type { ReadStore } from '../../kube/store.ts';
import { XDS_SERVER_NAME } from '../../proxy/names.ts';
import type { ProxyIdentity } from '../xds/resource.ts';
import { CertificateAuthority } from './authority.ts';
import { credentialEvents } from './credential-events.ts';
import { CredentialReader } from './credential-reader.ts';
import { CredentialSource } from './credential-source.ts';
import { checkLifetimes, type Lifetimes } from './lifetimes.ts';
import { RootController } from './root-controller.ts';
import { RootSource } from './root-source.ts';
import { SecretSource } from './secret-source.ts';
import { ServerCertificate } from './server-certificate.ts';
import { type NamespaceObject, TrustConfigMaps } from './trust-config-map.ts';
import type { ProxyTrustSource } from './trust-survey.ts';
import { WebhookCertificate } from './webhook-certificate.ts';

type Methods = 'get' | 'list' | 'watch' | 'create' | 'update' | 'apply' | 'patch' | 'delete';

export interface CertificatesOptions {
  /** A KubeApi; its transport tells how far our clock is off. */
  readonly api: Pick<KubeApi, Methods> & { readonly transport?: Pick<KubeApi['transport'], 'clockOffsetMs'> };
  /** The namespace Heddle lives in. */
  readonly namespace: string;
  readonly lifetimes: Lifetimes;
  /** All namespaces, from a started reflector. */
  readonly namespaces: ReadStore<NamespaceObject>;
  /** All DestinationRules: those that name a credential hear of it. */
  readonly destinationRules: Pick<ReadStore<DestinationRule>, 'list'>;
  /** For example `cluster.local`; first part of every SPIFFE ID. */
  readonly trustDomain: string;
  /** As of `SecretSourceOptions`. */
  readonly description?: (proxy: ProxyIdentity) => string | undefined;
  /** Domain of Service names, usually `cluster.local`. */
  readonly clusterDomain: string;
  readonly events: Pick<EventRecorder, 'record'>;
  /** Tells how far proxies are with a rotation of the root; absent: there are none. Asked by the leader alone. */
  readonly proxies?: ProxyTrustSource;
  readonly logger: Logger;
}

/** The certificate room, started. */
export interface Certificates {
  /** Feeds the streams with `default`, `ROOTCA` and the credentials of DestinationRules. */
  readonly secrets: SecretSource;
  /** For the xDS port. */
  readonly server: ServerCertificate;
  readonly authority: CertificateAuthority;
  /** Why no certificates can be issued yet, for readiness; undefined when they can. */
  problem(): string | undefined;
  /** Writes shared objects for as long as we lead; the signal ends that. */
  lead(signal: AbortSignal): void;
  stop(): Promise<void>;
}

/** The SPIFFE ID of a workload, Istio's form. */
export function spiffeId(trustDomain: string, { namespace, serviceAccount }: ProxyIdentity): string {
  return `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
}

interface Part {
  start(): void | Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts what every replica does (read the root, issue certificates); `lead` adds what the leader alone does.
 * @throws {RangeError} when the lifetimes do not fit each other
 */
export function startCertificates(options: CertificatesOptions): Certificates {
  const { api, namespace, clusterDomain, lifetimes, trustDomain } = options;
  checkLifetimes(lifetimes);
  const logger = options.logger.child({ room: 'certificates' });
  const authority = new CertificateAuthority({ lifetimes, logger });
  const source = new RootSource({ api, namespace, authority, lifetimes, logger });
  const identify = (proxy: ProxyIdentity) => spiffeId(trustDomain, proxy);
  const credentials = new CredentialSource({
    reader: new CredentialReader(api, namespace),
    tell: credentialEvents(options.events, () => options.destinationRules.list()),
    logger,
  });
  const { workloadMs } = lifetimes;
  const { description } = options;
  const secrets = new SecretSource({
    authority,
    spiffeId: identify,
    ...(description === undefined ? {} : { description }),
    workloadMs,
    credentials,
    logger,
  });
  const server = new ServerCertificate({
    authority,
    dnsNames: [XDS_SERVER_NAME, `${XDS_SERVER_NAME}.${clusterDomain}`],
    lifetimeMs: lifetimes.xdsMs,
    propagationMs: lifetimes.propagationMs,
    logger,
  });
  const started = source.start();
  started.catch((error: unknown) => logger.error('root certificates cannot be watched', { error }));

  const leaderParts = (): Part[] => [
    new RootController({
      ...options,
      source,
      authority,
      logger,
      clockOffsetMs: () => api.transport?.clockOffsetMs,
    }),
    new TrustConfigMaps({ api, namespaces: options.namespaces, authority, logger }),
    new WebhookCertificate({ api, namespace, clusterDomain, authority, lifetimes, logger }),
  ];
  let leading: Promise<void> = Promise.resolve();
  return {
    secrets,
    server,
    authority,
    problem: () => source.problem,
    lead(signal) {
      leading = leading.then(() => started).then(() => runUntil(signal, leaderParts(), logger));
    },
    async stop() {
      authority.stop();
      await Promise.all([source.stop(), secrets.stop(), credentials.stop(), server.stop()]);
    },
  };
}

async function runUntil(signal: AbortSignal, parts: readonly Part[], logger: Logger): Promise<void> {
  if (signal.aborted) return;
  const ended = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  for (const part of parts) {
    Promise.resolve(part.start()).catch((error: unknown) => logger.error('could not begin to lead', { error }));
  }
  await ended;
  await Promise.all(parts.map((part) => part.stop()));
}
