import { isDeepStrictEqual } from 'node:util';
import type { TrustRotation, TrustRotationStatus } from '../../api/trust-rotation.ts';
import { TRUST_ROTATION } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { isConflict, isNotFound } from '../../kube/kube-error.ts';
import type { Logger } from '../../kube/logger.ts';
import { dropManagedFields, Reflector } from '../../kube/reflector.ts';
import { applyStatus } from '../../kube/status.ts';
import { shortFingerprint } from './pem.ts';
import type { RotationRef, SigningRoot } from './root-state.ts';
import { hasEnded } from './rotation-report.ts';

const FIELD_MANAGER = 'heddle-certificates';

/** The TrustRotations there are: what users ask for, and what the operator shows. Only the leader has one. */
export class TrustRotations {
  readonly #api: Pick<KubeApi, 'get' | 'create' | 'apply'>;
  readonly #reflector: Reflector<TrustRotation>;

  constructor(api: Pick<KubeApi, 'get' | 'list' | 'watch' | 'create' | 'apply'>, logger: Logger) {
    this.#api = api;
    this.#reflector = new Reflector<TrustRotation>({ api, kind: TRUST_ROTATION, logger, transform: named });
  }

  /** Begins to watch; gives a function that ends the calls to `listener`. The kind may be absent: then there are none. */
  start(listener: () => void): () => void {
    void this.#reflector.start();
    void this.#reflector.store.synced.then(listener);
    return this.#reflector.store.onChange(listener);
  }

  stop(): Promise<void> {
    return this.#reflector.stop();
  }

  /** False until the first list is there. */
  get isKnown(): boolean {
    return this.#reflector.store.hasSynced;
  }

  /** Those that have not ended, the oldest first. */
  open(): TrustRotation[] {
    const age = ({ metadata }: TrustRotation) => Date.parse(metadata.creationTimestamp ?? '') || 0;
    return [...this.#reflector.store.list()]
      .filter((object) => !hasEnded(object))
      .sort((a, b) => age(a) - age(b) || a.metadata.name.localeCompare(b.metadata.name));
  }

  /**
   * One that has not ended, as it is at the API server at this moment: what is begun twice because a watch lags is a rotation too many.
   * Undefined when it has ended or is gone.
   */
  async fresh({ metadata: { name, uid } }: TrustRotation): Promise<TrustRotation | undefined> {
    try {
      const found = await this.#api.get<TrustRotation>(TRUST_ROTATION, { name });
      return found.metadata.uid === uid && !hasEnded(found) ? named(found) : undefined;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** Whether one shows the root that signs, for whoever asks when it expires. */
  shows(root: SigningRoot): boolean {
    const fingerprint = shortFingerprint(root.signing.certificate);
    return [...this.#reflector.store.list()].some(({ status }) => status?.newRoot?.fingerprint === fingerprint);
  }

  /** One that has not been deleted, nor made anew. */
  get({ name, uid }: RotationRef): TrustRotation | undefined {
    const found = this.#reflector.store.get(name);
    return found?.metadata.uid === uid && found.metadata.deletionTimestamp === undefined ? found : undefined;
  }

  /** Makes one for a rotation that nobody asked for. */
  async create(name: string): Promise<void> {
    try {
      await this.#api.create<TrustRotation>(TRUST_ROTATION, { metadata: { name }, spec: { abort: false } });
    } catch (error) {
      // It is there: the watch brings it.
      if (!isConflict(error)) throw error;
    }
  }

  /** Writes a status where it says something new. */
  async report(object: TrustRotation, status: TrustRotationStatus): Promise<void> {
    if (isDeepStrictEqual(plain(object.status ?? {}), plain(status))) return;
    const { name, uid } = object.metadata;
    try {
      await applyStatus(this.#api, TRUST_ROTATION, { name, uid }, status, FIELD_MANAGER);
    } catch (error) {
      // It went meanwhile, or was made anew.
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }
}

/** Events need the kind of what they are about. */
function named(object: TrustRotation): TrustRotation {
  return { ...dropManagedFields(object), kind: TRUST_ROTATION.kind };
}

/** As it is in JSON: without what is undefined. */
function plain(status: TrustRotationStatus): unknown {
  return JSON.parse(JSON.stringify(status));
}
