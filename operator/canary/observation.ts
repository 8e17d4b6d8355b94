import type { CanarySpec } from '../../api/canary.ts';
import type { TemplateAnswer } from '../../api/canary-round.ts';
import type { UsageAnswer } from '../../api/canary-usage.ts';
import type { TrafficAnswer } from '../telemetry/traffic.ts';
import type { Dependency } from './dependencies.ts';
import type { HookAnswer, HookCall } from './hook-call.ts';
import type { RevisionPods } from './pods.ts';
import type { Side } from './side.ts';
import type { Autoscaler } from './targets/autoscaler.ts';
import type { Ownership } from './targets/borrowed-fields.ts';
import type { SharedService } from './targets/shared-services.ts';
import type { SideService } from './targets/side-services.ts';

/** One revision of the target: a ReplicaSet, or a ControllerRevision. */
export interface RevisionView {
  readonly revision: string;
  /** The Deployment controller's number of it; the newest revision has the highest. */
  readonly ordinal: number;
  /** Pods it is told to have. */
  readonly replicas: number;
  /** Pods of it that are Ready. */
  readonly ready: number;
  /** Equal for templates that differ in a `kubectl rollout restart` only. */
  readonly restartFingerprint: string;
  readonly pods: RevisionPods;
}

/** The target. */
export interface TargetView {
  readonly kind: string;
  readonly replicas: number;
  readonly strategy: string;
  readonly pausedBy: 'us' | 'user' | undefined;
  /** Whether somebody applies the field that pauses, as one who has it in git does. Absent: nobody. */
  readonly pauseIsApplied?: boolean;
  /** What a person does to have a paused rollout go on, as a noun. */
  readonly resumedBy: string;
  /** Revision of the present template; undefined while Kubernetes has made none of it. */
  readonly current: string | undefined;
  readonly revisions: ReadonlyMap<string, RevisionView>;
  /** All wanted pods are of the current revision and available, and none is left of others. */
  readonly rolledOut: boolean;
  /** `Progressing` of a Deployment says ProgressDeadlineExceeded. */
  readonly timedOut: boolean;
  readonly minReadySeconds: number;
  /** Pods that a new revision takes from the old one while it is tried; 0: none is needed for it. */
  readonly takesOut: number;
  /** A StatefulSet's. */
  readonly partition?: number;
  readonly maxSurge: number | string;
  readonly maxUnavailable: number | string;
  readonly progressDeadlineSeconds: number;
  /** Which fields of the rollout the operator may set. */
  readonly mayTake: Ownership;
}

/** How far a weight has got. */
export interface Coverage {
  /** Sidecars, the target's own apart, that route to a Service of the target. */
  readonly callers: number;
  /** Those of them that have acknowledged exactly this split. */
  readonly acknowledged: number;
  /** Asked when some proxies, by UID, have acknowledged something: whether it is worth asking anew. Absent: it always is. */
  readonly isWorthAsking?: (uids: ReadonlySet<string>) => boolean;
}

/** All that a step of the phase machine looks at. */
export interface Observation {
  /** ms since the epoch. */
  readonly now: number;
  readonly generation: number;
  /** Undefined when it is not valid; `problems` says why. */
  readonly spec: CanarySpec | undefined;
  readonly problems: readonly string[];
  /** Kind and name, for people. */
  readonly targetTitle: string;
  /** Why the mesh does nothing in its namespace; undefined: it does. */
  readonly undiscovered: string | undefined;
  /** Name of the Canary that had this target first. */
  readonly rival: string | undefined;
  readonly target: TargetView | undefined;
  readonly namespace: string;
  /** Names of the Services that select the target's pods, and whose requests are shared out. */
  readonly services: readonly string[];
  /** Those that are the address of one side. */
  readonly sides?: readonly SideService[];
  /** What is wrong with annotations that were to make them such. */
  readonly sideProblems?: readonly string[];
  /** Whether some port of these carries HTTP, or may; absent: it is not known. */
  readonly carriesHttp?: boolean;
  /** Those of all of them that select the pods of others, too. */
  readonly shared?: readonly SharedService[];
  /** What scales the target. */
  readonly autoscaler?: Autoscaler | undefined;
  /** How far a split (a revision and what it gets) is in force, by the terms of the spec. */
  readonly coverage: (next: string, side: Side) => Coverage;
  /** How far sidecars have the addresses of the new revision; absent where it has none. */
  readonly addressed?: (next: string) => Coverage;
  /** What a person has told by the annotation. */
  readonly command: string | undefined;
  /** What a hook has answered in a round. */
  readonly answer: (call: HookCall) => HookAnswer | undefined;
  /** The Canaries that this one depends on. */
  readonly dependencies: () => readonly Dependency[];
  /** What was counted of a revision from `since` (ms) until now. */
  readonly traffic: (revision: string, since: number) => TrafficAnswer;
  /** What the MetricTemplate of a metric came to in the window that began at `since` (ms); undefined while that is not known. */
  readonly measured: (metric: string, since: number) => TemplateAnswer | undefined;
  /** What the pods of a revision, and of the stable one, used in that window, by the name of the metric; undefined while nothing is known. */
  readonly usage: (metric: string, revision: string, since: number) => UsageAnswer | undefined;
}
