import { SECRET } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { type Logger, silentLogger } from '../../kube/logger.ts';
import { Reflector } from '../../kube/reflector.ts';
import type { CertificateAuthority } from './authority.ts';
import { type CaSecret, RootProblem } from './ca-secret.ts';
import type { Lifetimes } from './lifetimes.ts';
import { CA_SECRET, readOwnRoot } from './root-secret.ts';
import type { RootState, SigningRoot } from './root-state.ts';
import { RootSuccession } from './root-succession.ts';
import { readUserRoot, USER_CA_SECRET } from './user-root.ts';

export interface RootSourceOptions {
  readonly api: Pick<KubeApi, 'list' | 'watch'>;
  readonly namespace: string;
  readonly authority: CertificateAuthority;
  readonly lifetimes: Pick<Lifetimes, 'workloadMs' | 'propagationMs'>;
  readonly logger?: Logger;
  readonly now?: () => number;
}

/** What a Secret says at this moment. */
export type Reading<T> =
  | { readonly kind: 'absent' }
  | { readonly kind: 'valid'; readonly secret: CaSecret; readonly value: T }
  | { readonly kind: 'broken'; readonly secret: CaSecret; readonly problem: RootProblem };

/**
 * Watches the Secret that says what signs, and hands what is valid to the authority; runs in every replica. The user's Secret it only reads: the leader
 * takes that over into ours, by a rotation where the root differs.
 */
export class RootSource {
  readonly #options: RootSourceOptions;
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #own: Reflector<CaSecret>;
  readonly #user: Reflector<CaSecret>;
  readonly #listeners = new Set<() => void>();
  readonly #succession: RootSuccession;
  #tail: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #problem: string | undefined = 'the root certificate has not been read yet';

  constructor(options: RootSourceOptions) {
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
    this.#now = options.now ?? Date.now;
    const { api, namespace, logger } = options;
    const reflect = (name: string) =>
      new Reflector<CaSecret>({
        api,
        kind: SECRET,
        namespace,
        fieldSelector: `metadata.name=${name}`,
        ...(logger ? { logger } : {}),
      });
    this.#own = reflect(CA_SECRET);
    this.#user = reflect(USER_CA_SECRET);
    this.#succession = new RootSuccession(options.lifetimes);
  }

  /** Why no certificates can be issued, or undefined. */
  get problem(): string | undefined {
    return this.#options.authority.state ? undefined : this.#problem;
  }

  /** Calls back when one of the Secrets changed; gives a function that ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves once both Secrets were looked for. */
  async start(): Promise<void> {
    await Promise.all([this.#own.start(), this.#user.start()]);
    const changed = () => this.#changed();
    this.#own.store.onChange(changed);
    this.#user.store.onChange(changed);
    await this.refresh();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await Promise.all([this.#own.stop(), this.#user.stop()]);
  }

  /** The operator's own Secret. */
  readOwn(): Reading<RootState> {
    return this.#read(this.#own, CA_SECRET, readOwnRoot);
  }

  /** The user's Secret. */
  readUser(): Reading<SigningRoot> {
    return this.#read(this.#user, USER_CA_SECRET, readUserRoot);
  }

  /** Hands what our Secret says to the authority. */
  refresh(): Promise<void> {
    this.#tail = this.#tail.then(() => this.#refresh());
    return this.#tail;
  }

  async #refresh(): Promise<void> {
    const reading = this.readOwn();
    if (reading.kind === 'absent') this.#problem = `Secret ${CA_SECRET} does not exist yet`;
    if (reading.kind === 'broken') this.#problem = reading.problem.message;
    if (reading.kind !== 'valid') {
      const user = this.readUser();
      if (user.kind === 'broken') this.#problem = user.problem.message;
      return;
    }
    const { state, reviewAt } = this.#succession.next(reading.value, this.#now());
    this.#refreshAt(reviewAt);
    try {
      await this.#options.authority.adopt(state);
      this.#problem = undefined;
    } catch (error) {
      this.#problem = 'the root certificate could not be put to use';
      this.#logger.error(this.#problem, { error });
    }
  }

  #refreshAt(time: number): void {
    clearTimeout(this.#timer);
    if (this.#stopped || time === Number.POSITIVE_INFINITY) return;
    // Timers end at 24.8 days; waking up early only means to look again.
    const delay = Math.min(Math.max(time - this.#now(), 10), 2 ** 31 - 1);
    this.#timer = setTimeout(() => void this.refresh(), delay);
    this.#timer.unref();
  }

  #changed(): void {
    void this.refresh();
    for (const listener of this.#listeners) listener();
  }

  #read<T>(reflector: Reflector<CaSecret>, name: string, parse: (secret: CaSecret, now: number) => T): Reading<T> {
    const secret = reflector.store.get(`${this.#options.namespace}/${name}`);
    if (!secret) return { kind: 'absent' };
    try {
      return { kind: 'valid', secret, value: parse(secret, this.#now()) };
    } catch (error) {
      if (!(error instanceof RootProblem)) throw error;
      return { kind: 'broken', secret, problem: error };
    }
  }
}
