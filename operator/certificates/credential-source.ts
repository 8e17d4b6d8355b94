import { Controller, type ReconcileResult } from '../../kube/controller.ts';
import { type Logger, silentLogger } from '../../kube/logger.ts';
import { type ProxyIdentity, type ResourceChange, SECRET_TYPE, type XdsResource } from '../xds/resource.ts';
import { type CredentialName, parseCredentialName } from './credential-name.ts';
import type { Account, CredentialReader, Reading } from './credential-reader.ts';

/** What becomes of a credential, for whoever wrote the rule that names it. */
export interface CredentialNews {
  /** Namespace of the clients. */
  readonly namespace: string;
  /** `kubernetes://NAME` or `configmap://NAME`. */
  readonly credential: string;
  /** Why it is not served, and how to mend that; undefined: it is served after all. */
  readonly problem: string | undefined;
}

/** Times in ms. */
export interface CredentialSettings {
  /** How often a credential is read again; a change takes at most so long to reach the proxies. */
  readonly pollMs: number;
  /** After how long one that is not served is first read again; the double each time, up to `pollMs`. */
  readonly retryMs: number;
  /** How often proxies are made to ask again, which shows whether any of them still wants a credential. */
  readonly roundMs: number;
  /** After how many rounds that nobody asked in a credential is forgotten. */
  readonly patienceRounds: number;
  /** A problem that lasts is told again so often: events are kept for an hour. */
  readonly remindMs: number;
  readonly perAccount: number;
  readonly total: number;
}

export const CREDENTIAL_SETTINGS: CredentialSettings = {
  pollMs: 30_000,
  retryMs: 2000,
  roundMs: 60_000,
  patienceRounds: 3,
  remindMs: 30 * 60_000,
  perAccount: 64,
  total: 1024,
};

export interface CredentialSourceOptions {
  readonly reader: Pick<CredentialReader, 'read'>;
  readonly tell: (news: CredentialNews) => void;
  readonly logger?: Logger;
  readonly settings?: Partial<CredentialSettings>;
}

interface Entry {
  readonly account: Account;
  readonly name: CredentialName;
  /** Whether it is known yet if it is there. */
  wasRead: boolean;
  /** What is served. */
  served?: Extract<Reading, { state: 'served' }>;
  problem?: { readonly text: string; readonly toldAt: number };
  failures: number;
  idleRounds: number;
}

const keyOf = ({ namespace, serviceAccount }: Account): string => `${namespace}/${serviceAccount}`;

/**
 * Serves what `credentialName` of DestinationRules names, to proxies whose ServiceAccount may read it. It is read by polling: a watch for each of
 * them would be a stream each and need the right to list besides, and certificates are rotated hours before they have to be.
 *
 * The first `lookup` answers undefined and is followed by a change once the credential is read, or can't be. Nobody has to say that proxies went: in rounds they
 * are told of a change, and what no stream then looks up is forgotten.
 */
export class CredentialSource {
  readonly #options: CredentialSourceOptions;
  readonly #settings: CredentialSettings;
  readonly #logger: Logger;
  /** By ServiceAccount, then by name of the SDS secret. */
  readonly #accounts = new Map<string, Map<string, Entry>>();
  /** Accounts that were refused one in this round. */
  readonly #turnedAway = new Set<string>();
  readonly #listeners = new Set<(change: ResourceChange) => void>();
  readonly #controller: Controller;
  readonly #timer: NodeJS.Timeout;
  #size = 0;
  #refused = 0;

  constructor(options: CredentialSourceOptions) {
    this.#options = options;
    this.#settings = { ...CREDENTIAL_SETTINGS, ...options.settings };
    this.#logger = options.logger ?? silentLogger;
    this.#controller = new Controller({
      name: 'credentials',
      reconcile: (key) => this.#poll(key),
      concurrency: 4,
      backoffMs: [Math.min(500, this.#settings.retryMs), this.#settings.pollMs],
      logger: this.#logger,
    });
    this.#controller.start();
    this.#timer = setInterval(() => this.#round(), this.#settings.roundMs);
    this.#timer.unref();
  }

  /** Credentials that proxies want, each counted once for each ServiceAccount. */
  get size(): number {
    return this.#size;
  }

  /** Times that a credential turned out to be none that a proxy may have, or can; for metrics. */
  get refused(): number {
    return this.#refused;
  }

  /** @param secret name of an SDS secret; one that is no credential's is answered undefined */
  lookup({ namespace, serviceAccount }: ProxyIdentity, secret: string): XdsResource | undefined {
    const account = { namespace, serviceAccount };
    const known = this.#accounts.get(keyOf(account))?.get(secret);
    if (known !== undefined) {
      known.idleRounds = 0;
      return known.served?.resource;
    }
    const name = parseCredentialName(secret);
    if (name) this.#add(account, name);
    return undefined;
  }

  /** Whether the credential is being read for the first time. */
  isPending({ namespace, serviceAccount }: ProxyIdentity, secret: string): boolean {
    return this.#accounts.get(keyOf({ namespace, serviceAccount }))?.get(secret)?.wasRead === false;
  }

  onChange(listener: (change: ResourceChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#controller.stop();
    this.#accounts.clear();
    this.#size = 0;
  }

  #add(account: Account, name: CredentialName): void {
    const { perAccount, total } = this.#settings;
    const key = keyOf(account);
    const entries = this.#accounts.get(key) ?? new Map<string, Entry>();
    if (entries.size >= perAccount || this.#size >= total) {
      // Whoever asks for thousands shall cost no more than who asks for one too many.
      if (this.#turnedAway.has(key)) return;
      this.#turnedAway.add(key);
      this.#refused += 1;
      const problem =
        entries.size >= perAccount
          ? `ServiceAccount ${key} asks for more than ${perAccount} credentials; this one is not served`
          : `the mesh asks for more than ${total} credentials; this one is not served`;
      this.#logger.warn('credential turned away', { account: key, secret: name.secret, held: this.#size });
      this.#options.tell({ namespace: account.namespace, credential: name.credential, problem });
      return;
    }
    this.#accounts.set(key, entries);
    entries.set(name.secret, { account, name, wasRead: false, failures: 0, idleRounds: 0 });
    this.#size++;
    this.#controller.enqueue(`${key}/${name.secret}`);
  }

  #find(key: string): Entry | undefined {
    const [namespace, serviceAccount, ...secret] = key.split('/');
    return this.#accounts.get(`${namespace}/${serviceAccount}`)?.get(secret.join('/'));
  }

  async #poll(key: string): Promise<ReconcileResult | undefined> {
    const entry = this.#find(key);
    if (!entry) return undefined;
    const reading = await this.#options.reader.read(entry.account, entry.name, entry.served);
    if (this.#find(key) !== entry) return undefined;
    const before = entry.served?.resource.version;
    if (reading.state === 'served') entry.served = reading;
    // A credential that was rotated badly goes on as it was; one that was taken away does not.
    if (reading.state === 'absent') delete entry.served;
    this.#report(entry, reading);
    if (entry.served?.resource.version !== before || !entry.wasRead) {
      entry.wasRead = true;
      this.#logger.info('credential read', { ...entry.account, secret: entry.name.secret, state: reading.state });
      this.#tellStreams(keyOf(entry.account), new Set([entry.name.secret]));
    }
    entry.failures = reading.state === 'served' ? 0 : entry.failures + 1;
    const { pollMs, retryMs } = this.#settings;
    const delay = entry.failures === 0 ? pollMs : Math.min(pollMs, retryMs * 2 ** Math.min(entry.failures - 1, 20));
    return { requeueAfterMs: delay * (0.8 + 0.2 * Math.random()) };
  }

  #report(entry: Entry, reading: Reading): void {
    const { namespace } = entry.account;
    const { credential } = entry.name;
    if (reading.state === 'served') {
      const had = entry.problem;
      delete entry.problem;
      const parts = this.#accounts.get(keyOf(entry.account))?.values() ?? [];
      const isWhole = [...parts].every(({ name, problem }) => name.credential !== credential || !problem);
      if (had && isWhole) this.#options.tell({ namespace, credential, problem: undefined });
      return;
    }
    const now = performance.now();
    const { problem: known } = entry;
    if (known?.text !== reading.problem) this.#refused += 1;
    else if (now - known.toldAt < this.#settings.remindMs) return;
    entry.problem = { text: reading.problem, toldAt: now };
    this.#logger.info('credential is not served', { ...entry.account, problem: reading.problem });
    this.#options.tell({ namespace, credential, problem: reading.problem });
  }

  /** Forgets what nobody has asked for lately, and makes the streams ask for the rest. */
  #round(): void {
    this.#turnedAway.clear();
    for (const [account, entries] of this.#accounts) {
      for (const [secret, entry] of entries) {
        if (++entry.idleRounds <= this.#settings.patienceRounds) continue;
        entries.delete(secret);
        this.#size--;
      }
      if (entries.size === 0) this.#accounts.delete(account);
    }
    if (this.#size > 0) this.#tellStreams();
  }

  /** @param account whose streams; all without one @param secrets which names; all that the account wants without any */
  #tellStreams(account?: string, secrets?: ReadonlySet<string>): void {
    const affected = ({ namespace, serviceAccount }: ProxyIdentity) => {
      const key = keyOf({ namespace, serviceAccount });
      if (account !== undefined && key !== account) return undefined;
      const names = secrets ?? this.#accounts.get(key)?.keys();
      return names && new Map([[SECRET_TYPE, new Set(names)]]);
    };
    for (const listener of this.#listeners) listener({ affected });
  }
}
