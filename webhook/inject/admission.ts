import type { V1Pod } from '@kubernetes/client-node';
import { undiscoveredMessage } from '../../api/discovery.ts';
import { DNS_CAPTURE_ANNOTATION } from '../../api/pod-names.ts';
import { decideInjection, type NamespaceView } from './decision.ts';
import { injectPod } from './mutate.ts';
import { diff, type PatchOperation } from './patch.ts';
import type { InjectionSettings } from './settings.ts';
import { podTitle } from './workload.ts';

/** What injection depends on besides the pod. */
export interface InjectionContext {
  readonly settings: InjectionSettings;
  readonly namespace: NamespaceView;
  /** Whether the namespace belongs to the mesh. */
  readonly discovered: boolean;
  /** Whether a Canary holds pods of this one's revision back; asked only for pods that get a sidecar. */
  readonly isGated: (pod: V1Pod, namespace: string) => boolean | Promise<boolean>;
}

export interface PodOutcome {
  readonly outcome: 'injected' | 'skipped' | 'refused';
  /** One word for skips: why. */
  readonly reason?: string;
  readonly patch: readonly PatchOperation[];
  readonly refusal?: string;
  readonly warnings: readonly string[];
}

/** Istio's settings of one sidecar, as YAML. */
const ISTIO_CONFIG_ANNOTATION = 'proxy.istio.io/config';
const ENFORCE_LABEL = 'pod-security.kubernetes.io/enforce';

/** Decides about one pod and gives the patch. Pure, but for what it asks. */
export async function admitPod(pod: V1Pod, context: InjectionContext): Promise<PodOutcome> {
  const { namespace, settings } = context;
  const decision = decideInjection(pod, namespace);
  if (decision.verdict === 'skip') return { outcome: 'skipped', reason: decision.reason, patch: [], warnings: [] };
  if (decision.verdict === 'refuse') return refuse(pod, namespace.name, [decision.message]);
  if (!context.discovered) {
    // The operator would give its sidecar nothing, and the pod would wait for that for ever.
    const warnings = [`no sidecar is injected: ${undiscoveredMessage(namespace.name)}`];
    return { outcome: 'skipped', reason: 'NotDiscovered', patch: [], warnings };
  }
  const injection = injectPod(pod, settings, await context.isGated(pod, namespace.name));
  if (injection.problems.length > 0) return refuse(pod, namespace.name, injection.problems);
  return {
    outcome: 'injected',
    patch: diff(pod, injection.pod),
    warnings: [...podSecurityWarnings(namespace), ...dnsWarnings(pod), ...istioWarnings(pod), ...injection.warnings],
  };
}

function refuse(pod: V1Pod, namespace: string, problems: readonly string[]): PodOutcome {
  const refusal = `pod ${namespace}/${podTitle(pod)} cannot get a sidecar: ${problems.join('; ')}`;
  return { outcome: 'refused', refusal, patch: [], warnings: [] };
}

/** Levels other than privileged forbid the init container's capability; the API server will say so, but not what to do. */
function podSecurityWarnings({ name, labels }: NamespaceView): string[] {
  const level = labels[ENFORCE_LABEL];
  if (level !== 'baseline' && level !== 'restricted') return [];
  return [
    `namespace ${name} enforces PodSecurity "${level}", which forbids NET_ADMIN of heddle-init: label it ${ENFORCE_LABEL}=privileged, or its pods heddle.dev/inject=false`,
  ];
}

/** The sidecar finds the operator by the cluster's DNS; with the node's alone it waits for its configuration for ever. */
function dnsWarnings({ spec }: V1Pod): string[] {
  if (spec?.dnsPolicy !== 'Default' || (spec.dnsConfig?.nameservers ?? []).length > 0) return [];
  return [
    'spec.dnsPolicy: with "Default" the sidecar cannot resolve the operator: use ClusterFirst, or name the DNS of the cluster in spec.dnsConfig',
  ];
}

function istioWarnings({ metadata }: V1Pod): string[] {
  const config = metadata?.annotations?.[ISTIO_CONFIG_ANNOTATION];
  if (config === undefined) return [];
  const instead = /ISTIO_META_DNS_CAPTURE/.test(config)
    ? `; for DNS capture write ${DNS_CAPTURE_ANNOTATION}: enabled`
    : '';
  return [`metadata.annotations[${ISTIO_CONFIG_ANNOTATION}]: is not read${instead}`];
}
