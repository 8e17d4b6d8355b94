import { DEPLOYMENT, MUTATING_WEBHOOK_CONFIGURATION, POD, VALIDATING_WEBHOOK_CONFIGURATION } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { isNotFound } from '../../kube/kube-error.ts';
import type { KubeObject } from '../../kube/object.ts';
import { SYSTEM_NAMESPACE, WEBHOOK_SERVICE } from '../../proxy/names.ts';
import { DEPLOYMENTS } from './customize.ts';

/** A Deployment, as far as its rollout is told from it. */
export interface DeploymentState extends KubeObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: { readonly spec?: { readonly containers?: readonly { readonly image?: string }[] } };
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
    readonly replicas?: number;
  };
}

interface ContainerStatus {
  readonly name: string;
  readonly restartCount?: number;
  readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } };
  readonly lastState?: { readonly terminated?: { readonly exitCode?: number; readonly reason?: string } };
}

export interface PodState extends KubeObject {
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly { type: string; status: string; reason?: string; message?: string }[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

export interface WebhookConfigurationState extends KubeObject {
  readonly webhooks?: readonly {
    readonly name: string;
    readonly failurePolicy?: string;
    readonly clientConfig: { readonly caBundle?: string };
  }[];
}

/**
 * What an installation lacks until it serves, a sentence each: pods of the control plane, with what keeps them; then the caBundle of the webhook
 * configurations, which the operator fills in.
 */
export async function missing(api: Pick<KubeApi, 'get' | 'list'>): Promise<string[]> {
  const deployments = await Promise.all(DEPLOYMENTS.map((name) => missingOf(api, name)));
  const kinds = [MUTATING_WEBHOOK_CONFIGURATION, VALIDATING_WEBHOOK_CONFIGURATION];
  const bundles = await Promise.all(
    kinds.map(async (kind) => {
      const found = await orUndefined(api.get<WebhookConfigurationState>(kind, { name: WEBHOOK_SERVICE }));
      if (!found) return [`${kind.kind} ${WEBHOOK_SERVICE} is not there`];
      const isEmpty = found.webhooks?.some(({ clientConfig }) => !clientConfig.caBundle) ?? true;
      return isEmpty ? [`${kind.kind} ${WEBHOOK_SERVICE} has no caBundle yet, which the operator writes`] : [];
    }),
  );
  return [...deployments, ...bundles].flat();
}

async function missingOf(api: Pick<KubeApi, 'get' | 'list'>, name: string): Promise<string[]> {
  const deployment = await orUndefined(api.get<DeploymentState>(DEPLOYMENT, { namespace: SYSTEM_NAMESPACE, name }));
  if (!deployment) return [`Deployment ${name} is not there`];
  const state = rolloutState(deployment);
  if (state === undefined) return [];
  const pods = await podsOf<PodState>(api, name);
  const reasons = [...new Set(pods.flatMap((pod) => podProblem(pod) ?? []))];
  return [`${name}: ${state}${reasons.length === 0 ? '' : `: ${reasons.join('; ')}`}`];
}

/** The pods of one of the control plane's Deployments. */
export async function podsOf<T extends KubeObject>(api: Pick<KubeApi, 'list'>, name: string): Promise<readonly T[]> {
  const labelSelector = `app.kubernetes.io/name=${name}`;
  return (await api.list<T>(POD, { namespace: SYSTEM_NAMESPACE, labelSelector })).items;
}

/** What a rollout waits for; undefined when it is done. */
export function rolloutState({ metadata, spec, status = {} }: DeploymentState): string | undefined {
  const wanted = spec?.replicas ?? 1;
  const { observedGeneration = 0, updatedReplicas = 0, availableReplicas = 0, replicas = 0 } = status;
  if (observedGeneration < (metadata?.generation ?? 0)) return 'its change was not seen yet';
  if (updatedReplicas < wanted) return `${updatedReplicas} of ${wanted} pods are new`;
  if (replicas > updatedReplicas) return 'pods of before are still there';
  if (availableReplicas < wanted) return `${availableReplicas} of ${wanted} pods are available`;
  return undefined;
}

/** What keeps a pod from serving, with its name; undefined where nothing is told. */
export function podProblem({ metadata, status }: PodState): string | undefined {
  const unscheduled = status?.conditions?.find(
    ({ type, status: holds }) => type === 'PodScheduled' && holds === 'False',
  );
  if (unscheduled?.message) return `pod ${metadata?.name} has no node: ${unscheduled.message}`;
  for (const { name, state, restartCount = 0, lastState } of status?.containerStatuses ?? []) {
    const { reason, message } = state?.waiting ?? {};
    const ended = lastState?.terminated;
    if (reason !== undefined && reason !== 'ContainerCreating' && reason !== 'PodInitializing') {
      const why = ended ? `it ended with ${ended.exitCode}` : (message ?? '');
      return `pod ${metadata?.name}: ${reason} of container ${name}${why && `: ${why}`}`;
    }
    if (restartCount > 0 && ended) return `pod ${metadata?.name}: container ${name} ended with ${ended.exitCode}`;
  }
  return undefined;
}

async function orUndefined<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
