import type { V1Pod } from '@kubernetes/client-node';
import { POD } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { type PodFacts, readPod } from '../../operator/mesh/pod.ts';
import { CliError } from '../cli-error.ts';
import { nearest } from '../terminal/nearest.ts';
import { canonicalName } from './canonical-name.ts';

/** What the user named: a pod, or all pods of a workload. */
export interface PodTarget {
  readonly namespace: string;
  readonly name: string;
  /** Told by a prefix as `pod/` or `deployment/`; undefined: either. */
  readonly kind?: 'pod' | 'workload';
}

const WORKLOADS = /^(deploy(ment)?s?|sts|statefulsets?|ds|daemonsets?|rollouts?|workloads?|jobs?|cronjobs?)$/i;
const PODS = /^(po|pods?)$/i;

/** Reads `POD`, `POD.NAMESPACE` (istioctl's), `NAMESPACE/NAME`, `pod/NAME`, `deployment/NAME`. */
export function readTarget(text: string, namespace: string): PodTarget {
  const [first = '', second, third] = text.split('/');
  if (third !== undefined || first === '' || second === '') {
    throw new CliError(`${text} names no pod`, 'write POD, NAMESPACE/NAME or deployment/NAME', 2);
  }
  if (second === undefined) return { namespace, name: first };
  if (PODS.test(first)) return { namespace, name: second, kind: 'pod' };
  if (WORKLOADS.test(first)) return { namespace, name: second, kind: 'workload' };
  return { namespace: first, name: second };
}

/**
 * The pods with a sidecar that a target names, by name.
 * @param text see `readTarget`
 * @throws {CliError} with the names that are most alike when there is none, or when none has a sidecar
 */
export async function findPods(
  api: Pick<KubeApi, 'list'>,
  namespace: string,
  text: string,
): Promise<readonly [PodFacts, ...PodFacts[]]> {
  let target = readTarget(text, namespace);
  let pods = await podsIn(api, target.namespace);
  let found = matchTarget(pods, target);
  const dot = text.lastIndexOf('.');
  if (found.length === 0 && dot > 0 && !text.includes('/')) {
    const other = { namespace: text.slice(dot + 1), name: text.slice(0, dot) };
    const there = await podsIn(api, other.namespace);
    if (there.length > 0) [target, pods, found] = [other, there, matchTarget(there, other)];
  }
  if (found.length === 0) throw missing(target, pods);
  const [first, ...rest] = found.filter(({ injected }) => injected);
  if (first === undefined) {
    const { name, namespace: where } = found[0] as PodFacts;
    throw new CliError(`pod ${where}/${name} has no sidecar`, `see why: heddle describe pod ${name} -n ${where}`);
  }
  return [first, ...rest];
}

/** As `findPods`, but one: the pod, or the first of a workload's that is ready. */
export async function findPod(api: Pick<KubeApi, 'list'>, namespace: string, text: string): Promise<PodFacts> {
  const pods = await findPods(api, namespace, text);
  return pods.find(({ ready }) => ready) ?? pods[0];
}

async function podsIn(api: Pick<KubeApi, 'list'>, namespace: string): Promise<readonly PodFacts[]> {
  const { items } = await api.list<V1Pod>(POD, { namespace });
  return items.map(readPod).sort((a, b) => a.name.localeCompare(b.name));
}

/** A pod's own name comes first, so that no workload hides a pod. */
export function matchTarget(pods: readonly PodFacts[], { name, kind }: PodTarget): readonly PodFacts[] {
  const own = kind === 'workload' ? [] : pods.filter((pod) => pod.name === name);
  if (own.length > 0 || kind === 'pod') return own;
  return pods.filter((pod) => pod.owner === name || canonicalName(pod) === name);
}

function missing({ namespace, name, kind }: PodTarget, pods: readonly PodFacts[]): CliError {
  const known = pods.flatMap((pod) => (kind === 'workload' ? [pod.owner] : [pod.name, pod.owner, canonicalName(pod)]));
  const alike = nearest(name, known);
  const what = kind === undefined ? 'pod or workload' : kind;
  const all = [...new Set(pods.map(({ owner }) => owner))].slice(0, 10);
  const next =
    alike.length > 0
      ? `did you mean ${alike.join(', or ')}?`
      : all.length > 0
        ? `there are: ${all.join(', ')}`
        : `namespace ${namespace} has no pods; name another with -n`;
  return new CliError(`there is no ${what} ${name} in namespace ${namespace}`, next);
}
