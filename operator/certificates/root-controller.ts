import { Controller, type ReconcileResult } from '../../kube/controller.ts';
import type { EventRecorder } from '../../kube/event-recorder.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { type Logger, silentLogger } from '../../kube/logger.ts';
import type { CertificateAuthority } from './authority.ts';
import type { CaSecret } from './ca-secret.ts';
import type { Lifetimes } from './lifetimes.ts';
import { firstState, newRoot, replaceLostRoot, replaceSigner } from './root-rotation.ts';
import { salvageRoots } from './root-secret.ts';
import type { Reading, RootSource } from './root-source.ts';
import { expiryOf, isSameSigner, type RootState, type SigningRoot } from './root-state.ts';
import { RootWriter } from './root-writer.ts';
import { rotationCause } from './rotation-cause.ts';
import { RotationDriver, type RotationTarget, recordName } from './rotation-driver.ts';
import { nameOf } from './rotation-report.ts';
import { TrustRotations } from './trust-rotations.ts';
import { NO_PROXIES, type ProxyTrustSource } from './trust-survey.ts';

export interface RootControllerOptions {
  readonly api: Pick<KubeApi, 'get' | 'list' | 'watch' | 'create' | 'update' | 'apply'>;
  readonly namespace: string;
  readonly source: RootSource;
  readonly authority: CertificateAuthority;
  readonly lifetimes: Lifetimes;
  readonly events: Pick<EventRecorder, 'record'>;
  /** Tells how far proxies are with a rotation; absent: there are none. */
  readonly proxies?: ProxyTrustSource;
  /** By how much the API server's clock is ahead of ours; milliseconds, undefined while unknown. */
  readonly clockOffsetMs?: () => number | undefined;
  readonly logger?: Logger;
  readonly now?: () => number;
}

const KEY = 'root';
/** Beyond this our clock is too far off to judge that a certificate has expired. */
const MAX_CLOCK_OFFSET_MS = 3_600_000;
/** Looked at so often without any event. */
const MAX_WAIT_MS = 3_600_000;
/** What proxies tell in a rotation is taken together for so long. */
const PROGRESS_MS = 250;

type Valid<T> = Extract<Reading<T>, { kind: 'valid' }>;
type Broken = Extract<Reading<unknown>, { kind: 'broken' }>;

/** Creates the root, repairs it, takes over the user's, and rotates it; only the leader runs this. */
export class RootController {
  readonly #options: RootControllerOptions;
  readonly #controller: Controller;
  readonly #writer: RootWriter;
  readonly #rotations: TrustRotations;
  readonly #driver: RotationDriver;
  readonly #now: () => number;
  /** What we made last, which the watch may not have brought yet. */
  #made: RootState | undefined;
  #ends: (() => void)[] = [];

  constructor(options: RootControllerOptions) {
    this.#options = options;
    const { api, events, authority, lifetimes } = options;
    const logger = options.logger ?? silentLogger;
    this.#now = options.now ?? Date.now;
    this.#writer = new RootWriter(api, events, logger);
    this.#rotations = new TrustRotations(api, logger);
    this.#driver = new RotationDriver({
      authority,
      lifetimes,
      rotations: this.#rotations,
      writer: this.#writer,
      proxies: options.proxies ?? NO_PROXIES,
      now: this.#now,
    });
    this.#controller = new Controller({
      name: 'root-certificate',
      reconcile: () => this.#reconcile(),
      backoffMs: [100, 10_000],
      logger,
    });
  }

  /** Begins; `source` must have been started. */
  start(): void {
    const { source, authority, proxies = NO_PROXIES } = this.#options;
    const look = () => this.#controller.enqueue(KEY);
    const isUnderWay = () => authority.state !== undefined && authority.state.phase !== 'Stable';
    this.#ends = [
      source.onChange(look),
      authority.onChange(look),
      this.#rotations.start(look),
      proxies.onChange(() => isUnderWay() && this.#controller.enqueueAfter(KEY, PROGRESS_MS)),
    ];
    look();
    this.#controller.start();
  }

  async stop(): Promise<void> {
    for (const end of this.#ends.splice(0)) end();
    await Promise.all([this.#controller.stop(), this.#rotations.stop()]);
  }

  async #reconcile(): Promise<ReconcileResult> {
    const { source } = this.#options;
    const user = source.readUser();
    if (user.kind !== 'broken') return bounded(await this.#look(user), MAX_WAIT_MS);
    this.#refuse(user);
    // What becomes valid by itself is told by no watch.
    const { until = Number.POSITIVE_INFINITY } = user.problem;
    return bounded(await this.#look(user), Math.min(Math.max(until - this.#now(), 100), MAX_WAIT_MS));
  }

  async #look(user: Reading<SigningRoot>): Promise<ReconcileResult> {
    const own = this.#options.source.readOwn();
    if (own.kind === 'absent') return this.#create(user);
    if (this.#writer.hasReplaced(own.secret)) return { requeueAfterMs: 50 };
    if (own.kind === 'broken') return this.#repair(own, user);
    if (own.value.phase !== 'Stable') return this.#driver.drive(own.secret, own.value);
    return this.#keep(own, user);
  }

  async #create(user: Reading<SigningRoot>): Promise<ReconcileResult> {
    const { namespace } = this.#options;
    const now = this.#now();
    // Deleted under our hands: what every proxy trusts is still in our memory, and a new root would cut them off.
    const restored = this.#inMemory(now);
    // Whoever gives us a root does not want another one.
    if (!restored && user.kind === 'broken') return { requeueAfterMs: 60_000 };
    const state = restored ?? firstState(await this.#freshRoot(user, now), now);
    const made = await this.#writer.create(namespace, state);
    if (!made) return { requeueAfterMs: 1000 };
    this.#made = state;
    if (restored)
      this.#writer.warn(made, 'RootRestored', 'the Secret was deleted and has been written again from memory');
    else this.#writer.tell(made, 'RootCreated', `${describe(state)} signs`);
    return { requeueAfterMs: 1000 };
  }

  async #repair({ secret, problem }: Broken, user: Reading<SigningRoot>): Promise<ReconcileResult> {
    const now = this.#now();
    if (problem.reason === 'ClockOff' || (problem.reason === 'Expired' && this.#clockIsOff())) {
      const why = 'not replaced, as the clock of this node may be wrong';
      this.#writer.warn(secret, 'RootRefused', `${problem.message}; ${why}`);
      return { requeueAfterMs: 10_000 };
    }
    const known = this.#inMemory(now);
    if (known) {
      await this.#writer.update(secret, known);
      this.#writer.warn(secret, 'RootRestored', `${problem.message}; written again from memory`);
      return { requeueAfterMs: 1000 };
    }
    if (user.kind === 'broken') return { requeueAfterMs: 60_000 };
    await this.#writer.update(
      secret,
      replaceLostRoot(await this.#freshRoot(user, now), salvageRoots(secret, now), now),
    );
    this.#writer.warn(secret, 'RootReplaced', `${problem.message}; replaced by a new root`);
    return { requeueAfterMs: 1000 };
  }

  /** Looks after a root that is stable. */
  async #keep({ secret, value: state }: Valid<RootState>, user: Reading<SigningRoot>): Promise<ReconcileResult> {
    const { lifetimes } = this.#options;
    const now = this.#now();
    const given = user.kind === 'valid' ? user.value : undefined;
    const cause = rotationCause(state, given, user.kind !== 'absent', lifetimes, now);
    if (cause.kind === 'replace') {
      await this.#writer.update(secret, replaceSigner(state, cause.root, now));
      this.#writer.tell(
        secret,
        'SignerReplaced',
        `${describe(cause.root)} signs, under a root that is trusted already`,
      );
      return {};
    }
    if (state.origin === 'cacerts' && user.kind === 'absent') {
      const fix = 'create the Secret again, or a TrustRotation for a root of Heddle';
      this.#writer.warn(secret, 'UserRootGone', `the Secret cacerts is gone; its CA stays in use; ${fix}`);
    }
    if (cause.kind === 'warn') this.#warnOfExpiry(user.kind === 'absent' ? secret : user.secret, cause.leftMs);
    if (!this.#rotations.isKnown) return { requeueAfterMs: 200 };
    if (!this.#rotations.shows(state)) await this.#rotations.create(recordName(state));
    if (await this.#driver.begin(secret, state, () => this.#target(state, user))) return {};
    if (cause.kind !== 'rotate') return { requeueAfterMs: cause.kind === 'none' ? cause.ms : 60_000 };
    if (cause.reason === 'RootExpires' && this.#clockIsOff()) {
      const why = "the root nears its end by this node's clock, which is wrong by over an hour";
      this.#writer.warn(secret, 'RotationRefused', why);
      return { requeueAfterMs: 60_000 };
    }
    if (this.#rotations.open().length === 0) {
      // Named after the state that it ends: two leaders make one of it, and after an abort it is another.
      const what = cause.reason === 'RootExpires' ? 'expiry' : 'cacerts';
      await this.#rotations.create(`${what}-${nameOf(state)}-${state.since.toString(36)}`);
    }
    return { requeueAfterMs: 1000 };
  }

  /** What somebody who asks for a rotation now is to get. */
  async #target(state: RootState, user: Reading<SigningRoot>): Promise<RotationTarget> {
    if (user.kind === 'broken') return { kind: 'none', final: false, message: user.problem.message };
    if (user.kind === 'valid' && isSameSigner(user.value, state)) {
      const message =
        'the Secret cacerts holds what signs already; write another CA into it, or delete it for a root of Heddle';
      return { kind: 'none', final: true, message };
    }
    return { kind: 'root', root: await this.#freshRoot(user, this.#now()) };
  }

  async #freshRoot(user: Reading<SigningRoot>, now: number): Promise<SigningRoot> {
    return user.kind === 'valid' ? user.value : newRoot(this.#options.lifetimes, now);
  }

  /** What is in use, or was made to be, where that can go on. */
  #inMemory(now: number): RootState | undefined {
    const known = this.#options.authority.state ?? this.#made;
    return known && expiryOf(known) > now ? known : undefined;
  }

  #refuse({ secret, problem }: Broken): void {
    this.#writer.warn(secret, 'RootRefused', `${problem.message}; the last valid root stays in use`);
  }

  #warnOfExpiry(secret: CaSecret, leftMs: number): void {
    const what = secret.metadata.name === 'cacerts' ? 'its CA' : 'what signs';
    const at = new Date(this.#now() + leftMs).toISOString().replace(/\.\d+/, '');
    const message = `${what} expires at ${at}; replace it in the Secret cacerts, or create a TrustRotation`;
    this.#writer.warn(secret, 'RootExpires', message);
  }

  #clockIsOff(): boolean {
    return Math.abs(this.#options.clockOffsetMs?.() ?? 0) > MAX_CLOCK_OFFSET_MS;
  }
}

function describe(root: SigningRoot): string {
  return root.origin === 'cacerts'
    ? `the CA of the Secret cacerts (${nameOf(root)})`
    : `a root of Heddle (${nameOf(root)})`;
}

function bounded({ requeueAfterMs }: ReconcileResult, mostMs: number): ReconcileResult {
  return { requeueAfterMs: Math.min(requeueAfterMs ?? mostMs, mostMs) };
}
