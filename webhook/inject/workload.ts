import type { V1Pod } from '@kubernetes/client-node';
import { REVISION_LABELS } from '../../api/pod-names.ts';
import { matchOwner } from '../../api/pod-owner.ts';
import { CANONICAL_NAME_LABEL, CANONICAL_REVISION_LABEL } from '../../proxy/annotations.ts';
import { variable } from '../../proxy/expansion.ts';
import type { OwnWorkload } from '../../proxy/own-labels.ts';
import { appOf } from '../../proxy/peer-subject.ts';
import type { InjectionSettings } from './settings.ts';

/** The owner of a pod, where a controller made it. */
export interface PodOwner {
  readonly kind: string;
  /** For a ReplicaSet of a Deployment: the Deployment's name. */
  readonly name: string;
  /** The pod's revision; only for pods of a Deployment, a StatefulSet or a DaemonSet. */
  readonly revision?: string;
}

/** The controller behind a pod; a Deployment is told from the name of its ReplicaSet, which ends in the revision. */
export function podOwner({ metadata }: V1Pod): PodOwner | undefined {
  const owner = metadata?.ownerReferences?.find((each) => each.controller);
  if (!owner) return undefined;
  const revision = metadata?.labels?.[REVISION_LABELS[0]];
  if (owner.kind === 'ReplicaSet' && revision && owner.name.endsWith(`-${revision}`)) {
    return { kind: 'Deployment', name: owner.name.slice(0, -revision.length - 1), revision };
  }
  const hash = metadata?.labels?.[REVISION_LABELS[1]];
  const whole = { kind: owner.kind, name: owner.name };
  return hash ? { ...whole, revision: hash } : whole;
}

/** A name of the pod for people: pods of a controller have none yet when they are admitted. */
export function podTitle({ metadata }: V1Pod): string {
  return metadata?.name ?? (metadata?.generateName ? `${metadata.generateName}*` : '(unnamed)');
}

export interface Canonical {
  readonly name: string;
  readonly revision: string;
}

/** Canonical service name and revision, by Istio's order of labels; then the owner's name, and `latest`. */
export function canonicalService(pod: V1Pod): Canonical {
  const labels = pod.metadata?.labels ?? {};
  const fallback = podOwner(pod)?.name ?? pod.metadata?.name ?? pod.metadata?.generateName?.replace(/-+$/, '');
  const name = labels[CANONICAL_NAME_LABEL] || labels['app.kubernetes.io/name'] || labels.app || fallback;
  const revision = labels[CANONICAL_REVISION_LABEL] || labels['app.kubernetes.io/version'] || labels.version;
  return { name: labelValue(name ?? 'unknown'), revision: revision || 'latest' };
}

/** What the pod's own metrics say of it: the same as its certificate will say to others. A pod of nobody gets its name after it is admitted. */
export function ownWorkload(
  pod: V1Pod,
  { name, revision }: Canonical,
  { trustDomain }: InjectionSettings,
): OwnWorkload {
  const labels = pod.metadata?.labels ?? {};
  const workload = matchOwner(pod).name || variable('POD_NAME');
  const facts = { workload, canonicalService: name, canonicalRevision: revision };
  return { ...facts, app: appOf(labels, name), version: labels.version ?? '', trustDomain };
}

/** Cuts a name to what a label takes: 63 characters, a letter or digit at the end. */
function labelValue(name: string): string {
  return name.slice(0, 63).replace(/[^A-Za-z0-9]+$/, '');
}
