import { createHash } from 'node:crypto';
import { type Deployment, type PodTemplate, REVISION_LABEL, type ReplicaSet } from '../objects.ts';

const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt';
const ORDINAL = 'deployment.kubernetes.io/revision';

const fingerprints = new WeakMap<PodTemplate, { whole: string; bare: string }>();

/** The revision a ReplicaSet stands for (its pod-template-hash), '' when it has none. */
export function revisionOf(replicaSet: ReplicaSet): string {
  return replicaSet.metadata?.labels?.[REVISION_LABEL] ?? '';
}

/** Number that the Deployment controller gives revisions, rising; 0 when it has not yet. */
export function ordinalOf(object: Deployment | ReplicaSet): number {
  return Number(object.metadata?.annotations?.[ORDINAL] ?? 0);
}

/** Equal for templates that differ in nothing but what `kubectl rollout restart` writes. */
export function restartFingerprint(template: PodTemplate | undefined): string {
  return fingerprint(template).bare;
}

/**
 * The ReplicaSet of the Deployment's present template, as the Deployment controller finds it: the oldest with an
 * equal template. A server upgrade can change defaults in one of the two; then the controller's own number decides.
 * @returns undefined while it does not exist yet
 */
export function findCurrent(deployment: Deployment, replicaSets: readonly ReplicaSet[]): ReplicaSet | undefined {
  const wanted = fingerprint(deployment.spec?.template).whole;
  const equal = replicaSets
    .filter((replicaSet) => fingerprint(replicaSet.spec?.template).whole === wanted)
    .sort((a, b) => created(a).localeCompare(created(b)));
  if (equal[0]) return equal[0];
  const observed = (deployment.status?.observedGeneration ?? 0) >= (deployment.metadata?.generation ?? 0);
  if (!observed || deployment.spec?.paused) return undefined;
  const ordinal = ordinalOf(deployment);
  return ordinal > 0 ? replicaSets.find((replicaSet) => ordinalOf(replicaSet) === ordinal) : undefined;
}

function created(replicaSet: ReplicaSet): string {
  return String(replicaSet.metadata?.creationTimestamp ?? '');
}

function fingerprint(template: PodTemplate | undefined): { whole: string; bare: string } {
  if (!template) return { whole: '', bare: '' };
  const known = fingerprints.get(template);
  if (known) return known;
  const { [REVISION_LABEL]: _hash, ...labels } = template.metadata?.labels ?? {};
  const { [RESTARTED_AT]: _restarted, ...annotations } = template.metadata?.annotations ?? {};
  const whole = { labels, annotations: template.metadata?.annotations ?? {}, spec: template.spec };
  const made = { whole: digest(whole), bare: digest({ ...whole, annotations }) };
  fingerprints.set(template, made);
  return made;
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value, sortedKeys)).digest('base64');
}

function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
