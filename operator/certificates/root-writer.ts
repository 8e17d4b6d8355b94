import type { TrustRotation } from '../../api/trust-rotation.ts';
import { TRUST_ROTATION_KIND } from '../../api/trust-rotation.ts';
import type { EventRecorder } from '../../kube/event-recorder.ts';
import { SECRET, TRUST_ROTATION } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { isConflict } from '../../kube/kube-error.ts';
import type { Logger } from '../../kube/logger.ts';
import { apiVersionOf } from '../../kube/resource-kind.ts';
import type { CaSecret } from './ca-secret.ts';
import { CA_SECRET, renderRoot } from './root-secret.ts';
import type { RootState } from './root-state.ts';

/** A warning that stays true is said again after so long. */
const REPEAT_MS = 600_000;

/** Writes the Secret of the root, and tells people what was done, in events and in the log. */
export class RootWriter {
  readonly #api: Pick<KubeApi, 'create' | 'update'>;
  readonly #events: Pick<EventRecorder, 'record'>;
  readonly #logger: Logger;
  readonly #warned = new Map<string, number>();
  #replaced: string | undefined;

  constructor(api: Pick<KubeApi, 'create' | 'update'>, events: Pick<EventRecorder, 'record'>, logger: Logger) {
    this.#api = api;
    this.#events = events;
    this.#logger = logger;
  }

  /** Makes the Secret; undefined where another replica was first, whose root the watch brings. */
  async create(namespace: string, state: RootState): Promise<CaSecret | undefined> {
    const { data, annotations } = renderRoot(state);
    const labels = { 'app.kubernetes.io/managed-by': 'heddle' };
    const metadata = { namespace, name: CA_SECRET, labels, annotations: defined(annotations) };
    try {
      return await this.#api.create<CaSecret>(SECRET, { metadata, type: 'Opaque', data });
    } catch (error) {
      if (!isConflict(error)) throw error;
      return undefined;
    }
  }

  /** Replaces the Secret if it is still the one that was read; a 409 brings us back with the newer one. */
  async update(secret: CaSecret, state: RootState): Promise<void> {
    const { data, annotations } = renderRoot(state);
    const metadata = { ...secret.metadata, annotations: defined({ ...secret.metadata.annotations, ...annotations }) };
    await this.#api.update<CaSecret>(SECRET, { ...secret, metadata, data });
    this.#replaced = secret.metadata.resourceVersion;
  }

  /** Whether a Secret is the one that was replaced last: the watch has not brought yet what took its place. */
  hasReplaced({ metadata: { resourceVersion } }: CaSecret): boolean {
    return resourceVersion !== undefined && resourceVersion === this.#replaced;
  }

  /** Tells of something that was done. @param about a Secret unless it is a TrustRotation */
  tell(about: CaSecret | TrustRotation, reason: string, message: string): void {
    this.#logger.info(message, { reason, object: about.metadata.name });
    this.#record(about, 'Normal', reason, message);
  }

  /** Warns; while it is the same that is wrong, every ten minutes. */
  warn(about: CaSecret | TrustRotation, reason: string, message: string): void {
    const key = `${about.metadata.uid} ${reason} ${message}`;
    const now = performance.now();
    if (now - (this.#warned.get(key) ?? Number.NEGATIVE_INFINITY) < REPEAT_MS) return;
    if (this.#warned.size > 100) this.#warned.clear();
    this.#warned.set(key, now);
    this.#logger.warn(message, { reason, object: about.metadata.name });
    this.#record(about, 'Warning', reason, message);
  }

  #record(about: CaSecret | TrustRotation, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const { name, uid = '' } = about.metadata;
    const subject =
      about.kind === TRUST_ROTATION_KIND
        ? { apiVersion: apiVersionOf(TRUST_ROTATION), kind: about.kind, metadata: { name: name ?? '', uid } }
        : { apiVersion: 'v1', kind: 'Secret', metadata: { ...place(about as CaSecret), uid } };
    this.#events.record(subject, { type, reason, message });
  }
}

function place({ metadata: { namespace = '', name = '' } }: CaSecret): { namespace: string; name: string } {
  return { namespace, name };
}

function defined(annotations: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(annotations).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}
