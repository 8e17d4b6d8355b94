import type { V1DaemonSet, V1Deployment, V1StatefulSet } from '@kubernetes/client-node';
import { BORROWED_ANNOTATION } from '../api/borrowed-annotation.ts';
import type { CanarySpec } from '../api/canary.ts';
import { DAEMON_SET, DEPLOYMENT, STATEFUL_SET } from '../kube/kinds.ts';
import type { KubeApi } from '../kube/kube-api.ts';
import { isNotFound } from '../kube/kube-error.ts';
import type { KubeObject } from '../kube/object.ts';
import type { ResourceKind } from '../kube/resource-kind.ts';
import { leastSeconds } from './analysis-length.ts';

/** How long the API server may take about the target; a warning is not worth more. */
const LOOK_MS = 2000;
const DEFAULT_DEADLINE_SECONDS = 600;

type Looked = V1Deployment & V1StatefulSet & V1DaemonSet & KubeObject;

interface Judge {
  readonly resource: ResourceKind;
  /** Sentences in the terms of the Canary's condition TargetReady, without their subject. */
  readonly warnings: (target: Looked, spec: CanarySpec) => readonly string[];
}

const JUDGES: Readonly<Record<string, Judge>> = {
  Deployment: { resource: DEPLOYMENT, warnings: deploymentWarnings },
  StatefulSet: { resource: STATEFUL_SET, warnings: statefulSetWarnings },
  DaemonSet: { resource: DAEMON_SET, warnings: daemonSetWarnings },
};

/**
 * Looks at a Canary's target when the Canary is applied. It is no error when the target is missing: manifests come in any order.
 * @returns sentences for warnings
 */
export async function judgeTarget(
  api: Pick<KubeApi, 'get'>,
  namespace: string,
  spec: CanarySpec,
): Promise<readonly string[]> {
  const { kind, name } = spec.targetRef;
  const judge = JUDGES[kind];
  if (judge === undefined) return [];
  const title = `spec.targetRef: ${kind} ${namespace}/${name}`;
  const timeout = new Promise<undefined>((resolve) => setTimeout(resolve, LOOK_MS, undefined).unref());
  try {
    const target = await Promise.race([api.get<Looked>(judge.resource, { namespace, name }), timeout]);
    return target === undefined ? [] : judge.warnings(target, spec).map((said) => `${title} ${said}`);
  } catch (error) {
    if (!isNotFound(error)) return [];
    return [`${title} does not exist; the Canary waits until it does`];
  }
}

/** Names of the fields that the operator has borrowed: what they say is not what the user says. */
function borrowedFields({ metadata }: Looked): ReadonlySet<string> {
  try {
    return new Set(Object.keys(JSON.parse(metadata?.annotations?.[BORROWED_ANNOTATION] ?? '{}')));
  } catch {
    return new Set();
  }
}

function deploymentWarnings(target: Looked, canary: CanarySpec): string[] {
  const { spec = {} as never } = target;
  const borrowed = borrowedFields(target);
  const said: string[] = [];
  if (spec.strategy?.type === 'Recreate') {
    said.push(
      'has spec.strategy.type Recreate, which stops the old revision first; use RollingUpdate, or nothing is analysed',
    );
  }
  if (spec.paused && !borrowed.has('paused'))
    said.push('is paused, so that no revision comes to be tried; kubectl rollout resume goes on');
  const deadline = spec.progressDeadlineSeconds ?? DEFAULT_DEADLINE_SECONDS;
  const analysis = leastSeconds(canary.analysis);
  const isSet = deadline !== DEFAULT_DEADLINE_SECONDS && !borrowed.has('progressDeadlineSeconds');
  if (isSet && deadline < analysis) {
    said.push(
      `has spec.progressDeadlineSeconds ${deadline}, and the analysis takes ${analysis} s or more: kubectl rollout status may give up before the verdict; leave it out`,
    );
  }
  return said;
}

function statefulSetWarnings({ metadata, spec }: Looked, canary: CanarySpec): string[] {
  const { type, rollingUpdate } = spec?.updateStrategy ?? {};
  const said = onDeleteWarnings(type);
  // What the operator has borrowed is not what the user says.
  const isOurs = metadata?.annotations?.[BORROWED_ANNOTATION] !== undefined;
  const partition = rollingUpdate?.partition ?? 0;
  if (partition > 0 && !isOurs) {
    said.push(
      `has spec.updateStrategy.rollingUpdate.partition ${partition}, which keeps pods from a release that has passed; remove it, or nothing is analysed`,
    );
  }
  return [...said, ...onlyPodWarnings(spec?.replicas ?? 1, canary)];
}

function daemonSetWarnings(target: Looked, canary: CanarySpec): string[] {
  const { spec, status } = target;
  const said = borrowedFields(target).has('type') ? [] : onDeleteWarnings(spec?.updateStrategy?.type);
  const { maxSurge } = spec?.updateStrategy?.rollingUpdate ?? {};
  const takes = maxSurge === undefined || Number.parseFloat(String(maxSurge)) === 0;
  return takes ? [...said, ...onlyPodWarnings(status?.desiredNumberScheduled ?? 0, canary)] : said;
}

function onDeleteWarnings(type: string | undefined): string[] {
  return type === 'OnDelete'
    ? [
        'has spec.updateStrategy.type OnDelete, by which no release ever begins or ends; use RollingUpdate, or nothing is analysed',
      ]
    : [];
}

function onlyPodWarnings(replicas: number, { takeOnlyPod }: CanarySpec): string[] {
  if (replicas !== 1) return [];
  return takeOnlyPod === true
    ? ['has one pod only, and while a new revision is tried nothing of the stable one serves']
    : [
        'has one pod only, which a new revision would take; run two or more, or set spec.takeOnlyPod, or nothing is analysed',
      ];
}
