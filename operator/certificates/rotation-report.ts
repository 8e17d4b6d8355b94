import type { Condition } from '../../api/condition.ts';
import type {
  TrustRotation,
  TrustRotationPhase,
  TrustRotationRoot,
  TrustRotationStatus,
} from '../../api/trust-rotation.ts';
import { mergeConditions } from '../../kube/status.ts';
import { shortFingerprint } from './pem.ts';
import { canAbort } from './root-rotation.ts';
import { expiryOf, type RootState, type SigningRoot } from './root-state.ts';
import type { TrustSurvey } from './trust-survey.ts';

/** How many pods a status names. */
const MAX_NAMED = 3;

/** What a rotation waits for at a moment. */
export interface RotationMoment {
  readonly state: RootState;
  readonly survey: TrustSurvey;
  /** How long the phase lasts in any case: until then, milliseconds since 1970. */
  readonly leastUntil: number;
  readonly now: number;
}

/** The status of a TrustRotation under way. */
export function statusUnderWay(object: TrustRotation, moment: RotationMoment): TrustRotationStatus {
  const { state, survey, now } = moment;
  const { next, previous } = state;
  const isBack = state.phase === 'Aborting';
  const kept = object.status ?? {};
  const oldRoot =
    state.phase === 'Distributing' || isBack ? tellRoot(state) : ((previous && tellRoot(previous)) ?? kept.oldRoot);
  const newRoot = isBack ? ((previous && tellRoot(previous)) ?? kept.newRoot) : tellRoot(next ?? state);
  const tooLate = object.spec?.abort === true && !isBack && !canAbort(state);
  const message =
    waitingFor(moment) + (tooLate ? '. spec.abort came too late: create another TrustRotation to go on' : '');
  return {
    ...base(object, state.phase as TrustRotationPhase, { status: 'False', reason: state.phase, message }, now),
    progress: `${survey.done} of ${survey.total} proxies`,
    proxiesDone: survey.done,
    proxiesTotal: survey.total,
    ...(oldRoot && { oldRoot }),
    newRoot,
    startedAt: kept.startedAt ?? timeText(state.since),
    phaseStartedAt: timeText(state.since),
  };
}

/** The status of one that waits for another, or for something to be put right. */
export function statusPending(object: TrustRotation, message: string, now: number): TrustRotationStatus {
  return base(object, 'Pending', { status: 'False', reason: 'Pending', message }, now);
}

/** The status of one that ended; it keeps what it told of its roots. */
export function statusEnded(
  object: TrustRotation,
  phase: 'Complete' | 'Aborted' | 'Refused',
  message: string,
  now: number,
): TrustRotationStatus {
  const { oldRoot, newRoot, startedAt, phaseStartedAt, progress, proxiesDone, proxiesTotal } = object.status ?? {};
  const condition = { status: phase === 'Complete' ? 'True' : 'False', reason: phase, message } as const;
  return {
    ...base(object, phase, condition, now),
    ...(phase === 'Complete' && { progress, proxiesDone, proxiesTotal }),
    ...(oldRoot && { oldRoot }),
    ...(newRoot && { newRoot }),
    ...(startedAt && { startedAt }),
    ...(phaseStartedAt && { phaseStartedAt }),
    completedAt: timeText(now),
  };
}

/** How messages, and names of TrustRotations, call a root. */
export function nameOf({ signing }: SigningRoot): string {
  return shortFingerprint(signing.certificate).slice(0, 8);
}

/** What a status says of a root. */
export function tellRoot(root: SigningRoot): TrustRotationRoot {
  return {
    fingerprint: shortFingerprint(root.signing.certificate),
    source: root.origin === 'cacerts' ? 'Secret cacerts' : 'Heddle',
    expiresAt: timeText(expiryOf(root)),
  };
}

/** Whether nothing more becomes of it. */
export function hasEnded({ status }: TrustRotation): boolean {
  const { phase } = status ?? {};
  return phase === 'Complete' || phase === 'Aborted' || phase === 'Refused';
}

function base(
  object: TrustRotation,
  phase: TrustRotationPhase,
  complete: Pick<Condition, 'status' | 'reason' | 'message'>,
  now: number,
): TrustRotationStatus {
  const { generation } = object.metadata;
  const observed = generation === undefined ? {} : { observedGeneration: generation };
  const wanted = [{ type: 'Complete', ...complete, ...observed }];
  return { ...observed, phase, conditions: mergeConditions(object.status?.conditions ?? [], wanted, timeText(now)) };
}

const WHAT_FOR: Readonly<Record<RootState['phase'], string>> = {
  Stable: '',
  Distributing: 'trust the new root beside the old one',
  Issuing: 'have a certificate of the new root',
  Retiring: 'trust the new root alone',
  Aborting: 'have a certificate of the old root again',
};

function waitingFor({ state, survey, leastUntil, now }: RotationMoment): string {
  const { waiting, refused, missing, whole, done, total } = survey;
  const parts = [`${done} of ${total} proxies ${WHAT_FOR[state.phase]}`];
  if (waiting.length > 0) parts.push(`waits for ${named(waiting)}`);
  if (missing.length > 0) parts.push(`no stream from ${named(missing)}`);
  for (const { pod, message } of refused.slice(0, MAX_NAMED)) parts.push(`${pod} refuses it: ${message.slice(0, 200)}`);
  if (refused.length > MAX_NAMED) parts.push(`${refused.length - MAX_NAMED} more refuse it`);
  if (!whole) parts.push('a replica of the operator does not report');
  if (parts.length === 1 && leastUntil > now) {
    parts.push(`lasts until ${timeText(leastUntil)}, for what takes its trust from a ConfigMap`);
  }
  return parts.join('; ');
}

/** Names so many of some pods, and says how many more there are. */
export function named(pods: readonly string[], most = MAX_NAMED): string {
  const more = pods.length - most;
  return pods.slice(0, most).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** RFC 3339, in seconds: metav1.Time knows no smaller ones. */
function timeText(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}
