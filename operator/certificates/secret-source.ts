import { Controller } from '../../kube/controller.ts';
import { type Logger, silentLogger } from '../../kube/logger.ts';
import { ROOT_SECRET, WORKLOAD_SECRET } from '../../proxy/names.ts';
import {
  type ProxyIdentity,
  type ResourceChange,
  type ResourceSource,
  SECRET_TYPE,
  type XdsResource,
} from '../xds/resource.ts';
import type { AuthorityChange, CertificateAuthority, IssuedCertificate } from './authority.ts';
import { parseCredentialName } from './credential-name.ts';
import type { CredentialSource } from './credential-source.ts';
import { DeadlineHeap } from './deadline-heap.ts';
import { ForeignNames } from './foreign-names.ts';
import { renewalTime } from './lifetimes.ts';
import { readWorkloadVersion, translateTrustSecret, translateWorkloadSecret } from './secret-resource.ts';

export interface SecretSourceOptions {
  readonly authority: CertificateAuthority;
  /** The SPIFFE ID of an authenticated proxy: `spiffe://TRUST-DOMAIN/ns/NS/sa/SA`. */
  readonly spiffeId: (proxy: ProxyIdentity) => string;
  /** What its certificate says of a proxy beside that, see `proxy/peer-subject.ts`; absent, or undefined: nothing. */
  readonly description?: (proxy: ProxyIdentity) => string | undefined;
  /** Lifetime of workload certificates, milliseconds. */
  readonly workloadMs: number;
  /** Answers for every name that is not of the workload itself. */
  readonly credentials?: Pick<CredentialSource, 'lookup' | 'isPending' | 'onChange' | 'refused'>;
  readonly logger?: Logger;
  readonly now?: () => number;
}

interface Entry {
  readonly proxy: ProxyIdentity;
  /** The proxy says it has one that was issued before: by another replica, or by this one before it was started. */
  held?: { readonly version: string; readonly expiresAt: number };
  issued?: { readonly certificate: IssuedCertificate; readonly resource: XdsResource };
  /** To be renewed as soon as the proxy is seen to be there. */
  stale: boolean;
}

const NOTHING: ReadonlyMap<string, XdsResource> = new Map();
const WORKLOAD_NAMES: ReadonlyMap<string, ReadonlySet<string>> = new Map([[SECRET_TYPE, new Set([WORKLOAD_SECRET])]]);
const TRUST_NAMES: ReadonlyMap<string, ReadonlySet<string>> = new Map([[SECRET_TYPE, new Set([ROOT_SECRET])]]);
/** After a change of root the proxies' certificates are renewed over so long, not all at once. */
const SIGNER_SPREAD_MS = 30_000;
/** Replicas' clocks may differ by so much. */
const CLOCK_SKEW_MS = 60_000;
/** How long a certificate that cannot be made is tried for before the proxy has to ask again. */
const UNISSUED_MS = 300_000;

/**
 * Gives proxies their certificate (`default`) and the trust bundle (`ROOTCA`) over SDS, and the credentials of users' rules. A certificate is made when a
 * connected proxy asks for it that has none, or none that is still fresh: the first `lookup` answers undefined and is followed by a change once it is there.
 * At renewal time the proxy is told of a change, and only if its stream then looks it up is a new one made; so nothing is
 * issued for proxies that are gone, and nobody has to say that they went.
 */
export class SecretSource implements ResourceSource {
  readonly typeUrls: readonly string[] = [SECRET_TYPE];
  readonly #options: SecretSourceOptions;
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Set<(change: ResourceChange) => void>();
  readonly #deadlines: DeadlineHeap;
  readonly #issuer: Controller;
  readonly #ends: readonly (() => void)[];
  #trust: XdsResource | undefined;
  readonly #foreign = new ForeignNames();
  #issuedCount = 0;

  constructor(options: SecretSourceOptions) {
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
    this.#now = options.now ?? Date.now;
    this.#deadlines = new DeadlineHeap((uid) => this.#due(uid), this.#now);
    this.#issuer = new Controller({
      name: 'workload-certificates',
      reconcile: (uid) => this.#issue(uid),
      concurrency: 8,
      backoffMs: [100, 5000],
      logger: this.#logger,
    });
    const { authority, credentials } = options;
    this.#ends = [
      authority.onChange((change) => this.#authorityChanged(change)),
      credentials?.onChange((change) => this.#tell(change)) ?? (() => {}),
    ];
    this.#setTrust();
    this.#issuer.start();
  }

  /** Certificates held, and issued since the start, and names that proxies asked for and may not have; for metrics. */
  get counts(): { readonly held: number; readonly issued: number; readonly refused: number } {
    const refused = this.#foreign.count + (this.#options.credentials?.refused ?? 0);
    return { held: this.#entries.size, issued: this.#issuedCount, refused };
  }

  /** Certificates that wait to be issued. */
  get waiting(): number {
    return this.#issuer.waiting;
  }

  /** Secrets are always asked for by name. */
  wildcard(): ReadonlyMap<string, XdsResource> {
    return NOTHING;
  }

  /** @inheritDoc */
  lookup(proxy: ProxyIdentity, typeUrl: string, name: string, held?: string): XdsResource | undefined {
    if (typeUrl !== SECRET_TYPE) return undefined;
    if (name === ROOT_SECRET) return this.#trust;
    if (name !== WORKLOAD_SECRET) return this.#lookupOther(proxy, name);
    const entry = this.#entries.get(proxy.uid) ?? this.#enter(proxy, held);
    if (entry.held !== undefined && entry.held.version !== held) {
      // It is asked for anew.
      delete entry.held;
      entry.stale = true;
    }
    if (entry.stale) this.#issuer.enqueue(proxy.uid);
    const { issued } = entry;
    return issued && issued.certificate.expiresAt > this.#now() ? issued.resource : undefined;
  }

  /** @inheritDoc */
  isPending(proxy: ProxyIdentity, typeUrl: string, name: string): boolean | 'held' {
    if (typeUrl !== SECRET_TYPE) return false;
    if (name === WORKLOAD_SECRET) {
      const entry = this.#entries.get(proxy.uid);
      return entry?.held !== undefined && !entry.stale ? 'held' : entry !== undefined;
    }
    return this.#options.credentials?.isPending(proxy, name) === true;
  }

  onChange(listener: (change: ResourceChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Drops a proxy's key at once, when its pod is gone; otherwise it goes at its expiry. */
  forget(uid: string): void {
    this.#foreign.forget(uid);
    this.#entries.delete(uid);
    this.#deadlines.delete(uid);
  }

  async stop(): Promise<void> {
    for (const end of this.#ends) end();
    this.#deadlines.stop();
    await this.#issuer.stop();
    this.#entries.clear();
  }

  #lookupOther(proxy: ProxyIdentity, name: string): XdsResource | undefined {
    if (parseCredentialName(name) !== undefined) return this.#options.credentials?.lookup(proxy, name);
    // Another workload's identity, say: a proxy has one, and its name is the same for all.
    if (this.#foreign.isNew(proxy.uid, name)) {
      const { namespace, podName: pod } = proxy;
      this.#logger.warn('proxy asks for a secret that nobody may have', { namespace, pod, secret: name.slice(0, 200) });
    }
    return undefined;
  }

  #enter(proxy: ProxyIdentity, held: string | undefined): Entry {
    const fresh = held === undefined ? undefined : this.#asFresh(held);
    const entry: Entry = { proxy, stale: fresh === undefined, ...(fresh && { held: fresh }) };
    this.#entries.set(proxy.uid, entry);
    this.#deadlines.set(proxy.uid, fresh?.renewAt ?? this.#now() + UNISSUED_MS);
    return entry;
  }

  /** When a certificate that a proxy says it has is to be renewed; undefined: at once, or it is none of those that are issued now. */
  #asFresh(
    version: string,
  ): { readonly version: string; readonly expiresAt: number; readonly renewAt: number } | undefined {
    const { authority, workloadMs } = this.#options;
    const read = readWorkloadVersion(version);
    if (read === undefined || read.generation !== authority.generation) return undefined;
    const { expiresAt } = read;
    const now = this.#now();
    // Of those whose lifetime has been shortened since, some would be taken for ones that were issued in the future.
    if (expiresAt > now + workloadMs + CLOCK_SKEW_MS) return undefined;
    const renewAt = renewalTime(expiresAt - workloadMs, expiresAt, Math.random());
    return renewAt > now ? { version, expiresAt, renewAt } : undefined;
  }

  async #issue(uid: string): Promise<undefined> {
    const entry = this.#entries.get(uid);
    if (!entry?.stale) return;
    const { authority, spiffeId, workloadMs, description } = this.#options;
    const uri = spiffeId(entry.proxy);
    // Not yet: the authority's first change brings the key back.
    if (!authority.state) return;
    const usage = ['serverAuth', 'clientAuth'] as const;
    const certificate = await authority.issue({
      names: [{ uri }],
      usage,
      lifetimeMs: workloadMs,
      description: description?.(entry.proxy),
    });
    if (this.#entries.get(uid) !== entry) return;
    delete entry.held;
    entry.issued = { certificate, resource: translateWorkloadSecret(certificate) };
    entry.stale = certificate.generation !== authority.generation;
    this.#issuedCount++;
    this.#deadlines.set(uid, entry.stale ? this.#now() : certificate.renewAt);
    this.#logger.debug('workload certificate issued', {
      uri,
      pod: entry.proxy.podName,
      expiresAt: certificate.expiresAt,
    });
    this.#tell({ affected: (proxy) => (proxy.uid === uid ? WORKLOAD_NAMES : undefined) });
  }

  /** Renewal time: the proxy is told, and renewed if the proxy's stream looks it up. Expiry, or none was made in time: dropped. */
  #due(uid: string): void {
    const entry = this.#entries.get(uid);
    if (!entry) return;
    const { expiresAt } = entry.issued?.certificate ?? entry.held ?? { expiresAt: 0 };
    const now = this.#now();
    if (expiresAt <= now) {
      // A stream that is still there asks again, and gets one made.
      this.#entries.delete(uid);
    } else {
      entry.stale = true;
      this.#deadlines.set(uid, expiresAt);
    }
    this.#tell({ affected: (proxy) => (proxy.uid === uid ? WORKLOAD_NAMES : undefined) });
  }

  #authorityChanged(change: AuthorityChange): void {
    if (change.trust && this.#setTrust()) this.#tell({ affected: () => TRUST_NAMES });
    if (!change.signer) return;
    const spread = Math.min(SIGNER_SPREAD_MS, this.#options.workloadMs / 10);
    for (const [uid, entry] of this.#entries) {
      if (!entry.issued && !entry.held) this.#issuer.enqueue(uid);
      else this.#deadlines.set(uid, this.#now() + spread * Math.random());
    }
  }

  #setTrust(): boolean {
    const { trustBundle } = this.#options.authority;
    if (trustBundle === '') return false;
    this.#trust = translateTrustSecret(trustBundle);
    return true;
  }

  #tell(change: ResourceChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
