import { daemonSet } from './daemon-set.ts';
import { deployment } from './deployment.ts';
import { statefulSet } from './stateful-set.ts';
import type { TargetKind } from './target-kind.ts';

/** What can be released, by kind. */
const KINDS: Readonly<Record<string, TargetKind>> = {
  Deployment: deployment as TargetKind,
  StatefulSet: statefulSet as TargetKind,
  DaemonSet: daemonSet as TargetKind,
};

/** The kind of this name; a Canary's schema lets no others through. */
export function targetKind(kind: string): TargetKind {
  return KINDS[kind] ?? (deployment as TargetKind);
}
