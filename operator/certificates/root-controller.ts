import { Controller, type ReconcileResult } from '../../kube/controller.ts';
import type { EventRecorder } from '../../kube/event-recorder.ts';
import { SECRET } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { isConflict } from '../../kube/kube-error.ts';
import { type Logger, silentLogger } from '../../kube/logger.ts';
import type { CertificateAuthority } from './authority.ts';
import type { Lifetimes } from './lifetimes.ts';
import { beginRotation, finishRotation, newRoot, replaceLostRoot, rotationStep, switchRoot } from './root-rotation.ts';
import type { RootReading, RootSource } from './root-source.ts';
import { CA_SECRET, type CaSecret, ROTATE_ANNOTATION, type RootState, renderRoot, salvageRoots } from './root-state.ts';

export interface RootControllerOptions {
  readonly api: Pick<KubeApi, 'create' | 'update'>;
  readonly namespace: string;
  readonly source: RootSource;
  readonly authority: CertificateAuthority;
  readonly lifetimes: Lifetimes;
  readonly events: Pick<EventRecorder, 'record'>;
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

/** Creates the root, repairs it and rotates it; only the leader runs this. */
export class RootController {
  readonly #options: RootControllerOptions;
  readonly #controller: Controller;
  readonly #logger: Logger;
  readonly #now: () => number;
  #unsubscribe: () => void = () => {};

  constructor(options: RootControllerOptions) {
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
    this.#now = options.now ?? Date.now;
    this.#controller = new Controller({
      name: 'root-certificate',
      reconcile: () => this.#reconcile(),
      backoffMs: [100, 10_000],
      logger: this.#logger,
    });
  }

  /** Begins; `source` must have been started. */
  start(): void {
    this.#unsubscribe = this.#options.source.onChange(() => this.#controller.enqueue(KEY));
    this.#controller.enqueue(KEY);
    this.#controller.start();
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    await this.#controller.stop();
  }

  async #reconcile(): Promise<ReconcileResult> {
    const { source } = this.#options;
    const user = source.readUser();
    if (user.kind !== 'absent') return this.#reportUser(user);
    const own = source.readOwn();
    if (own.kind === 'absent') return this.#create();
    if (own.kind === 'broken') return this.#repair(own);
    return this.#rotate(own);
  }

  #reportUser(reading: RootReading): ReconcileResult {
    if (reading.kind === 'broken') {
      this.#warn(
        reading.secret,
        'RootRefused',
        `${reading.problem.message}; the last valid root stays in use. Correct it.`,
      );
      return { requeueAfterMs: 60_000 };
    }
    if (reading.kind === 'valid') {
      const left = reading.state.signing.certificate.validToDate.getTime() - this.#now();
      if (left < 30 * 24 * 3_600_000) {
        const days = Math.floor(left / 86_400_000);
        this.#warn(reading.secret, 'RootExpires', `ca-cert.pem expires in ${days} days; replace it, Heddle cannot`);
      }
    }
    return { requeueAfterMs: MAX_WAIT_MS };
  }

  async #create(): Promise<ReconcileResult> {
    const { api, namespace, authority, lifetimes } = this.#options;
    const known = authority.state;
    const now = this.#now();
    // Deleted under our hands: what every proxy trusts is still in our memory, and a new root would cut them off.
    const restored = known && !known.signsDirectly ? settled(known, now) : undefined;
    // The user's CA was taken away: what it signed is trusted until it has expired, also after a restart.
    const roots = restored ? [] : (known?.roots ?? []);
    const state = restored ?? replaceLostRoot(await newRoot(lifetimes, now), roots, now);
    const { data, annotations } = renderRoot(state);
    const labels = { 'app.kubernetes.io/managed-by': 'heddle' };
    const metadata = { namespace, name: CA_SECRET, labels, annotations };
    try {
      const made = await api.create<CaSecret>(SECRET, { metadata, type: 'Opaque', ...(data ? { data } : {}) });
      if (restored) this.#warn(made, 'RootRestored', 'the Secret was deleted and has been written again from memory');
      else this.#tell(made, 'RootCreated', 'made a new root certificate');
    } catch (error) {
      // Another replica was first: the watch brings its root.
      if (!isConflict(error)) throw error;
    }
    return { requeueAfterMs: 1000 };
  }

  async #repair({ secret, problem }: Extract<RootReading, { kind: 'broken' }>): Promise<ReconcileResult> {
    const { authority, lifetimes } = this.#options;
    const now = this.#now();
    if (problem.reason === 'ClockOff' || (problem.reason === 'Expired' && this.#clockIsOff())) {
      this.#warn(secret, 'RootRefused', `${problem.message}; not replaced, as the clock of this node may be wrong`);
      return { requeueAfterMs: 10_000 };
    }
    const known = authority.state;
    const inMemory = known && !known.signsDirectly && known.signing.certificate.validToDate.getTime() > now;
    if (inMemory) {
      await this.#write(secret, settled(known, now));
      this.#warn(secret, 'RootRestored', `${problem.message}; written again from memory`);
    } else {
      await this.#write(secret, replaceLostRoot(await newRoot(lifetimes, now), salvageRoots(secret, now), now));
      this.#warn(secret, 'RootReplaced', `${problem.message}; replaced by a new root`);
    }
    return { requeueAfterMs: 1000 };
  }

  async #rotate({ secret, state }: Extract<RootReading, { kind: 'valid' }>): Promise<ReconcileResult> {
    const { lifetimes } = this.#options;
    const now = this.#now();
    const requested = secret.metadata.annotations?.[ROTATE_ANNOTATION] !== undefined;
    const step = rotationStep(state, lifetimes, requested, now);
    if (step.kind === 'wait') return { requeueAfterMs: Math.min(step.ms, MAX_WAIT_MS) };
    if (!requested && step.kind === 'begin' && this.#clockIsOff()) {
      this.#warn(
        secret,
        'RotationRefused',
        "the root nears its end by this node's clock, which is wrong by over an hour",
      );
      return { requeueAfterMs: 60_000 };
    }
    if (step.kind === 'begin') {
      await this.#write(secret, beginRotation(state, await newRoot(lifetimes, now), now));
      const wait = Math.round(lifetimes.propagationMs / 1000);
      this.#tell(secret, 'RotationDistributing', `a new root is trusted beside the old one; it signs in ${wait} s`);
    } else if (step.kind === 'switch') {
      await this.#write(secret, switchRoot(state, now));
      const wait = Math.round((lifetimes.workloadMs + lifetimes.propagationMs) / 1000);
      this.#tell(secret, 'RotationRetiring', `the new root signs; the old one is trusted for ${wait} s more`);
    } else {
      await this.#write(secret, finishRotation(state, now));
      this.#tell(secret, 'RotationDone', 'the old root is no longer trusted');
    }
    return {};
  }

  #clockIsOff(): boolean {
    return Math.abs(this.#options.clockOffsetMs?.() ?? 0) > MAX_CLOCK_OFFSET_MS;
  }

  /** Replaces the Secret if it is still the one that was read; a 409 brings us back with the newer one. */
  async #write(secret: CaSecret, state: RootState): Promise<void> {
    const { data, annotations } = renderRoot(state);
    const { [ROTATE_ANNOTATION]: _done, ...kept } = secret.metadata.annotations ?? {};
    const metadata = { ...secret.metadata, annotations: { ...kept, ...annotations } };
    await this.#options.api.update<CaSecret>(SECRET, { ...secret, metadata, ...(data ? { data } : {}) });
  }

  #tell(secret: CaSecret, reason: string, message: string): void {
    this.#logger.info(message, { reason, secret: secret.metadata.name });
    this.#record(secret, 'Normal', reason, message);
  }

  #warn(secret: CaSecret, reason: string, message: string): void {
    this.#logger.warn(message, { reason, secret: secret.metadata.name });
    this.#record(secret, 'Warning', reason, message);
  }

  #record(secret: CaSecret, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const { namespace = '', name = '', uid = '' } = secret.metadata;
    const subject = { apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name, uid } };
    this.#options.events.record(subject, { type, reason, message });
  }
}

/** A state from memory, in a phase that ends: roots that are only trusted still must not stay for ever. */
function settled(state: RootState, now: number): RootState {
  return state.phase === 'Stable' && state.roots.length > 1 ? { ...state, phase: 'Retiring', since: now } : state;
}
