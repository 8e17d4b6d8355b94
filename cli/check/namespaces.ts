import { isDiscovered, undiscoveredMessage } from '../../api/discovery.ts';
import { CONFIG_MAP } from '../../kube/kinds.ts';
import { INJECTION_LABEL, ISTIO_INJECTION_LABEL } from '../../proxy/annotations.ts';
import { TRUST_CONFIG_MAP, TRUST_PEM_KEY } from '../../proxy/names.ts';
import { isInjectionNamespace, type NamespaceView } from '../../webhook/inject/decision.ts';
import { type Check, type Finding, failed, ok, skipped, some, warning } from './check.ts';
import type { CheckContext, ConfigMapObject } from './context.ts';

const CATEGORY = 'Namespaces';
const ENFORCE_LABEL = 'pod-security.kubernetes.io/enforce';
/** Istio's injector, by the names of its configurations: plain, and one per revision. */
const ISTIO_INJECTOR = /^istio-(sidecar-injector|revision-tag)/;

/** The injectors of an Istio in the cluster. */
async function istioInjectors(context: CheckContext): Promise<string[]> {
  const injectors = await context.injectors();
  return injectors
    .filter(({ metadata }) => ISTIO_INJECTOR.test(metadata?.name ?? '') || metadata?.labels?.app === 'sidecar-injector')
    .map(({ metadata }) => metadata?.name ?? '');
}

/** Namespaces that opted in, and belong to the mesh. */
export async function injectedNamespaces(context: CheckContext): Promise<NamespaceView[]> {
  const [namespaces, injectors] = await Promise.all([context.namespaces(), istioInjectors(context)]);
  return namespaces
    .filter(({ status }) => status?.phase !== 'Terminating')
    .map(({ metadata }) => ({
      name: metadata?.name ?? '',
      labels: metadata?.labels ?? {},
      istioInstalled: injectors.length > 0,
    }))
    .filter((view) => isInjectionNamespace(view) && !view.name.startsWith('kube-'));
}

export const optedIn: Check = {
  category: CATEGORY,
  title: 'namespaces that opted in',
  async run(context) {
    const [views, mesh] = await Promise.all([injectedNamespaces(context), context.mesh()]);
    if (views.length === 0) {
      return [
        skipped(
          'no namespace has opted in',
          `kubectl label namespace NAME ${INJECTION_LABEL}=enabled, then restart its workloads`,
        ),
      ];
    }
    const out = views.filter(({ name, labels }) => !isDiscovered(mesh, name, labels));
    return [
      ok(`${views.length} namespaces have opted in`),
      ...out.map(({ name }) =>
        warning(undiscoveredMessage(name), 'kubectl edit configmap -n heddle-system heddle-mesh'),
      ),
    ];
  },
};

export const istioBeside: Check = {
  category: CATEGORY,
  title: 'an Istio beside Heddle',
  async run(context) {
    const [injectors, namespaces] = await Promise.all([istioInjectors(context), context.namespaces()]);
    if (injectors.length === 0) return [ok('no injector of Istio is there')];
    const both = namespaces.filter(
      ({ metadata }) =>
        metadata?.labels?.[INJECTION_LABEL] === 'enabled' && metadata.labels[ISTIO_INJECTION_LABEL] === 'enabled',
    );
    const found = ok(`an Istio is there (${some(injectors)}); namespaces with its labels are left to it`);
    if (both.length === 0) return [found];
    const which = some(both.map(({ metadata }) => metadata?.name ?? ''));
    return [
      found,
      failed(`both inject in: ${which}`, `take one of the labels ${INJECTION_LABEL} and ${ISTIO_INJECTION_LABEL} away`),
    ];
  },
};

export const trust: Check = {
  category: CATEGORY,
  title: 'trust ConfigMaps',
  async run(context) {
    const views = await injectedNamespaces(context);
    const asked = views.map(({ name: namespace }) =>
      context.get<ConfigMapObject>(CONFIG_MAP, { namespace, name: TRUST_CONFIG_MAP }),
    );
    const found = await Promise.all(asked);
    const bundles = found.map((each) => each?.data?.[TRUST_PEM_KEY]);
    const common = mostFrequent(bundles);
    const missing = views.filter((_, index) => !bundles[index]).map(({ name }) => name);
    const other = views.filter((_, index) => bundles[index] && bundles[index] !== common).map(({ name }) => name);
    const next = 'the leader of the operator writes them: kubectl -n heddle-system logs deployment/heddle-operator';
    const findings: Finding[] = [];
    if (missing.length > 0)
      findings.push(failed(`ConfigMap ${TRUST_CONFIG_MAP} is missing in: ${some(missing)}`, next));
    if (other.length > 0)
      findings.push(failed(`ConfigMap ${TRUST_CONFIG_MAP} has other roots than elsewhere in: ${some(other)}`, next));
    if (findings.length > 0 || views.length === 0) return findings;
    return [ok(`${views.length} namespaces have ConfigMap ${TRUST_CONFIG_MAP}, all with the same roots`)];
  },
};

function mostFrequent(values: readonly (string | undefined)[]): string | undefined {
  const counts = new Map<string, number>();
  for (const value of values) if (value) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
}

export const podSecurity: Check = {
  category: CATEGORY,
  title: 'PodSecurity levels',
  async run(context) {
    const views = await injectedNamespaces(context);
    const forbidden = views.filter(({ labels }) => ['baseline', 'restricted'].includes(labels[ENFORCE_LABEL] ?? ''));
    if (views.length > 0 && forbidden.length === 0) return [ok('no PodSecurity level forbids the init container')];
    return forbidden.map(({ name, labels }) =>
      failed(
        `namespace ${name} enforces PodSecurity "${labels[ENFORCE_LABEL]}", which forbids NET_ADMIN of heddle-init: its pods are refused`,
        `kubectl label namespace ${name} ${ENFORCE_LABEL}=privileged --overwrite`,
      ),
    );
  },
};
