import { randomBytes } from 'node:crypto';
import { type Logger, silentLogger } from '../../kube/logger.ts';
import { type Issuer, makeEndCertificate, makeIntermediate } from './certificate.ts';
import type { SubjectAlternativeName } from './extensions.ts';
import { makeKeyPair, privateKeyPem } from './key-pair.ts';
import { type Lifetimes, renewalTime } from './lifetimes.ts';
import { joinCertificates, shortFingerprint } from './pem.ts';
import type { RootState } from './root-state.ts';

export interface IssueRequest {
  readonly names: readonly SubjectAlternativeName[];
  readonly usage: readonly ('serverAuth' | 'clientAuth')[];
  readonly lifetimeMs: number;
  /** As of `EndRequest`. */
  readonly description?: string | undefined;
}

/** A certificate with its key, ready to be sent. */
export interface IssuedCertificate {
  /** PEM: the end certificate, then its intermediates; no root. */
  readonly chain: string;
  /** PEM, PKCS #8. */
  readonly privateKey: string;
  readonly serialNumber: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** When to renew, jitter included; milliseconds since 1970. */
  readonly renewAt: number;
  /** The signer generation it belongs to. */
  readonly generation: string;
}

export interface AuthorityChange {
  /** The trust bundle changed. */
  readonly trust: boolean;
  /** Another root signs: all certificates are to be renewed. */
  readonly signer: boolean;
}

export interface AuthorityOptions {
  readonly lifetimes: Lifetimes;
  readonly logger?: Logger;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

interface Signer {
  readonly issuer: Issuer;
  readonly chain: string;
  readonly generation: string;
}

/**
 * Issues certificates. Each replica makes an intermediate of its own, whose key never leaves its memory, and renews it
 * from half of its life on; so nothing but the root is shared, and nobody races for it.
 */
export class CertificateAuthority {
  readonly #lifetimes: Lifetimes;
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #listeners = new Set<(change: AuthorityChange) => void>();
  #state: RootState | undefined;
  #trustBundle = '';
  #signer: Signer | undefined;
  #tail: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: AuthorityOptions) {
    this.#lifetimes = options.lifetimes;
    this.#logger = options.logger ?? silentLogger;
    this.#now = options.now ?? Date.now;
  }

  /** The roots now in use; undefined before the first. */
  get state(): RootState | undefined {
    return this.#state;
  }

  /** PEM of all roots to be trusted; empty before the first. */
  get trustBundle(): string {
    return this.#trustBundle;
  }

  /** Names the root that signs; changes with it alone. Empty before the first. */
  get generation(): string {
    return this.#signer?.generation ?? '';
  }

  /** When what signs workload certificates expires: this replica's intermediate, or the user's CA. Milliseconds since 1970; for metrics. */
  get signerExpiresAt(): number | undefined {
    return this.#signer?.issuer.certificate.validToDate.getTime();
  }

  /** Calls back when trust or signer changed; gives a function that ends that. */
  onChange(listener: (change: AuthorityChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes over roots; resolves once certificates come from them. */
  adopt(state: RootState): Promise<void> {
    const done = this.#tail.then(() => this.#adopt(state));
    this.#tail = done.catch(() => {});
    return done;
  }

  /**
   * Makes a key pair and a certificate for it; it never outlives its issuers.
   * @throws {Error} while there is no root
   */
  async issue({ lifetimeMs, description, ...request }: IssueRequest): Promise<IssuedCertificate> {
    // The timer that renews the intermediate is late where the machine slept, or its clock was set.
    if (this.#signer && this.#signer.issuer.certificate.validToDate.getTime() <= this.#now()) {
      this.#tail = this.#tail.then(() => this.#renewIfExpired());
      await this.#tail;
    }
    const signer = this.#signer;
    if (!signer) throw new Error('there is no root certificate yet');
    const { publicKey, privateKey } = await makeKeyPair();
    const issuedAt = this.#now();
    const validity = { notBefore: issuedAt - this.#lifetimes.backdateMs, notAfter: issuedAt + lifetimeMs };
    const certificate = await makeEndCertificate(
      { ...request, ...validity, publicKey, ...(description === undefined ? {} : { description }) },
      signer.issuer,
    );
    const expiresAt = certificate.validToDate.getTime();
    if (expiresAt <= issuedAt) throw new Error(`the issuing certificate expired at ${certificate.validTo}`);
    return {
      chain: certificate.toString() + signer.chain,
      privateKey: privateKeyPem(privateKey),
      serialNumber: certificate.serialNumber.toLowerCase(),
      issuedAt,
      expiresAt,
      renewAt: renewalTime(issuedAt, expiresAt, Math.random()),
      generation: signer.generation,
    };
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #adopt(state: RootState): Promise<void> {
    const trustBundle = joinCertificates(state.roots);
    const generation = shortFingerprint(state.signing.certificate);
    const change = { trust: trustBundle !== this.#trustBundle, signer: generation !== this.#signer?.generation };
    // The new trust goes out before anything is signed by it.
    const isSame =
      !change.signer && this.#state && joinCertificates(this.#state.chain) === joinCertificates(state.chain);
    const signer = isSame ? this.#signer : await this.#makeSigner(state);
    this.#state = state;
    this.#trustBundle = trustBundle;
    this.#signer = signer;
    if (!change.trust && !change.signer) return;
    this.#logger.info('trust changed', { phase: state.phase, roots: state.roots.length, signer: generation });
    for (const listener of this.#listeners) listener(change);
  }

  async #makeSigner(state: RootState): Promise<Signer> {
    const generation = shortFingerprint(state.signing.certificate);
    const above = joinCertificates(state.chain);
    // The user's CA may forbid an intermediate below itself.
    if (state.origin === 'cacerts') {
      clearTimeout(this.#timer);
      return { issuer: state.signing, chain: above, generation };
    }
    const { publicKey, privateKey } = await makeKeyPair();
    const now = this.#now();
    const { backdateMs, intermediateMs } = this.#lifetimes;
    const commonName = `Heddle intermediate ${randomBytes(6).toString('hex')}`;
    const validity = { notBefore: now - backdateMs, notAfter: now + intermediateMs };
    const certificate = await makeIntermediate({ ...validity, commonName, publicKey, pathLength: 0 }, state.signing);
    this.#renewIntermediateAt(renewalTime(now, certificate.validToDate.getTime(), Math.random()));
    return { issuer: { certificate, privateKey }, chain: certificate.toString() + above, generation };
  }

  #renewIntermediateAt(time: number): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    // Timers end at 24.8 days; waking up early only means to look again.
    const delay = Math.min(Math.max(time - this.#now(), 100), 2 ** 31 - 1);
    this.#timer = setTimeout(() => {
      if (this.#now() < time) this.#renewIntermediateAt(time);
      else this.#tail = this.#tail.then(() => this.#renewIntermediate());
    }, delay);
    this.#timer.unref();
  }

  async #renewIfExpired(): Promise<void> {
    // Of many that wait for it the first has it made.
    if ((this.signerExpiresAt ?? Number.POSITIVE_INFINITY) <= this.#now()) await this.#renewIntermediate();
  }

  async #renewIntermediate(): Promise<void> {
    const state = this.#state;
    if (!state || state.origin === 'cacerts' || this.#stopped) return;
    try {
      this.#signer = await this.#makeSigner(state);
      this.#logger.info('intermediate certificate renewed');
    } catch (error) {
      this.#logger.error('intermediate certificate could not be renewed, trying again', { error });
      this.#renewIntermediateAt(this.#now() + 5000);
    }
  }
}
