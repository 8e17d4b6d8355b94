import type { TrustRotation } from '../../api/trust-rotation.ts';
import type { ReconcileResult } from '../../kube/controller.ts';
import type { CertificateAuthority } from './authority.ts';
import type { CaSecret } from './ca-secret.ts';
import { LastSeen } from './last-seen.ts';
import type { Lifetimes } from './lifetimes.ts';
import { shortFingerprint } from './pem.ts';
import { abortRotation, advance, beginRotation, canAbort, leastMs, rotationStep } from './root-rotation.ts';
import type { RootState, SigningRoot } from './root-state.ts';
import type { RootWriter } from './root-writer.ts';
import { named, nameOf, statusEnded, statusPending, statusUnderWay, tellRoot } from './rotation-report.ts';
import { trustVersion } from './secret-resource.ts';
import type { TrustRotations } from './trust-rotations.ts';
import { type ProxyTrustSource, surveyTrust, type TrustSurvey } from './trust-survey.ts';

/** What a rotation would lead to now; or why there is nothing to lead to, and whether that may change by itself. */
export type RotationTarget =
  | { readonly kind: 'root'; readonly root: SigningRoot }
  | { readonly kind: 'none'; readonly message: string; readonly final: boolean };

export interface RotationDriverOptions {
  readonly authority: CertificateAuthority;
  readonly lifetimes: Lifetimes;
  readonly rotations: TrustRotations;
  readonly writer: RootWriter;
  readonly proxies: ProxyTrustSource;
  readonly now: () => number;
}

/** Name of the TrustRotation that shows a root which came without any. */
export function recordName(root: SigningRoot): string {
  return `root-${nameOf(root)}`;
}

/** Leads a rotation from phase to phase, as far as the proxies are, and shows it in its TrustRotation. */
export class RotationDriver {
  readonly #options: RotationDriverOptions;
  readonly #lastSeen = new LastSeen();

  constructor(options: RotationDriverOptions) {
    this.#options = options;
  }

  /** One look at a rotation under way. */
  async drive(secret: CaSecret, state: RootState): Promise<ReconcileResult> {
    const { authority, rotations } = this.#options;
    // What is asked of proxies is what the authority gives them; it is about to take this over.
    if (authority.state?.phase !== state.phase || authority.state.since !== state.since) return { requeueAfterMs: 50 };
    if (!rotations.isKnown) return { requeueAfterMs: 200 };
    const object = state.rotation && rotations.get(state.rotation);
    await this.#hold(object);
    const isUnwanted = object ? object.spec?.abort === true : state.rotation !== undefined;
    if (isUnwanted && canAbort(state)) return this.#abort(secret, state, object);
    return this.#advance(secret, state, object);
  }

  /** Begins the rotation that somebody asked for; false when there is none to begin. */
  async begin(secret: CaSecret, state: RootState, target: () => Promise<RotationTarget>): Promise<boolean> {
    const { rotations, writer, now } = this.#options;
    for (const known of rotations.open()) {
      const object = await rotations.fresh(known);
      if (!object) continue;
      if (object.metadata.name === recordName(state)) {
        await this.#record(object, state);
        continue;
      }
      if (object.status?.phase !== undefined && object.status.phase !== 'Pending') {
        await this.#end(object, 'Aborted', 'it was cut short: what the Secret heddle-ca knew of it is lost', 'Warning');
        continue;
      }
      if (object.spec?.abort === true || object.metadata.deletionTimestamp !== undefined) {
        await this.#end(object, 'Aborted', 'aborted before it began');
        continue;
      }
      const found = await target();
      if (found.kind === 'none' && !found.final) {
        await rotations.report(object, statusPending(object, found.message, now()));
        continue;
      }
      if (found.kind === 'none') {
        await this.#end(object, 'Refused', found.message, 'Warning');
        continue;
      }
      const { name, uid = '' } = object.metadata;
      await writer.update(secret, beginRotation(state, found.root, now(), { name, uid }));
      writer.tell(object, 'RotationDistributing', 'a new root is trusted beside the old one, which signs on');
      return true;
    }
    return false;
  }

  /** A root that came without a rotation has a TrustRotation all the same, which shows when it expires. */
  async #record(object: TrustRotation, state: RootState): Promise<void> {
    const { rotations, now } = this.#options;
    const status = statusEnded(object, 'Complete', 'it signs', now());
    await rotations.report(object, { ...status, newRoot: tellRoot(state) });
  }

  async #advance(secret: CaSecret, state: RootState, object: TrustRotation | undefined): Promise<ReconcileResult> {
    const { lifetimes, rotations, writer, now } = this.#options;
    const survey = this.#survey(state);
    const step = rotationStep(state, lifetimes, survey, now());
    const least = leastMs(state, lifetimes);
    if (object) {
      const moment = { state, survey, leastUntil: state.since + least, now: now() };
      const status = statusUnderWay(object, moment);
      // Ended first: were it the other way around, one that stops in between would begin anew.
      const isLast = step.kind === 'go' && (state.phase === 'Retiring' || state.phase === 'Aborting');
      if (!isLast) await rotations.report(object, status);
      else if (state.phase === 'Retiring')
        await this.#end({ ...object, status }, 'Complete', 'the new root alone is trusted');
      else await this.#end({ ...object, status }, 'Aborted', 'all proxies have certificates of the old root again');
    }
    if (step.kind === 'wait') return { requeueAfterMs: step.ms };
    await writer.update(secret, advance(state, now()));
    const about = object ?? secret;
    const forced = step.forced ? `; gone on without ${names(survey)}, as it could wait no longer` : '';
    if (forced) writer.warn(about, 'RotationForced', `${state.phase} ends${forced}`);
    if (state.phase === 'Distributing')
      writer.tell(about, 'RotationIssuing', 'the new root signs; the old one stays trusted');
    if (state.phase === 'Issuing') writer.tell(about, 'RotationRetiring', 'the old root is trusted no more');
    if (state.phase === 'Retiring' && !object) writer.tell(about, 'RotationComplete', 'one root is trusted');
    return {};
  }

  async #abort(secret: CaSecret, state: RootState, object: TrustRotation | undefined): Promise<ReconcileResult> {
    const { writer, now } = this.#options;
    const next = abortRotation(state, now());
    if (next.phase === 'Stable' && object) {
      const status = statusUnderWay(object, { state, survey: this.#survey(state), leastUntil: 0, now: now() });
      await this.#end({ ...object, status }, 'Aborted', 'the new root has signed nothing, and is trusted no more');
    }
    await writer.update(secret, next);
    const how =
      next.phase === 'Stable' ? 'is trusted alone' : 'signs again; the new one stays trusted until nobody needs it';
    writer.tell(object ?? secret, 'RotationAborted', `the old root ${how}`);
    return {};
  }

  /** Others wait for the one under way. */
  async #hold(present: TrustRotation | undefined): Promise<void> {
    const { rotations, now } = this.#options;
    for (const object of rotations.open()) {
      if (object.metadata.uid === present?.metadata.uid) continue;
      const { phase } = object.status ?? {};
      if (phase !== undefined && phase !== 'Pending') continue;
      const before = present ? `TrustRotation ${present.metadata.name}` : 'a change of the root that is under way';
      await rotations.report(object, statusPending(object, `waits for ${before}`, now()));
    }
  }

  #survey(state: RootState): TrustSurvey {
    const { authority, proxies, now } = this.#options;
    const wanted = {
      bundle: trustVersion(authority.trustBundle),
      generation: shortFingerprint(state.signing.certificate),
    };
    // Each is looked up in the mesh and among the streams: once for both.
    const all = [...proxies.proxies()];
    return surveyTrust(state.phase, wanted, all, proxies.whole(), this.#lastSeen.look(all, now()));
  }

  async #end(
    object: TrustRotation,
    phase: 'Complete' | 'Aborted' | 'Refused',
    message: string,
    type: 'Normal' | 'Warning' = 'Normal',
  ): Promise<void> {
    const { rotations, writer, now } = this.#options;
    await rotations.report(object, statusEnded(object, phase, message, now()));
    if (type === 'Warning') writer.warn(object, `Rotation${phase}`, message);
    else writer.tell(object, `Rotation${phase}`, message);
  }
}

/** Whom a phase did not wait for. */
function names({ waiting, refused, missing, whole }: TrustSurvey): string {
  const pods = [...waiting, ...refused.map(({ pod }) => pod), ...missing];
  if (pods.length > 0) return named(pods, 10);
  return whole ? 'anybody' : 'replicas that do not report';
}
