import { INJECTION_STATUS_ANNOTATION, PROXY_CONTAINER } from '../../api/pod-names.ts';
import { decideInjection } from '../../webhook/inject/decision.ts';
import { INJECTION_VERSION } from '../../webhook/inject/status.ts';
import { isInjected } from '../inject/uninject-pod.ts';
import { type Check, type Finding, ok, some, warning } from './check.ts';
import type { CheckContext, PodObject } from './context.ts';
import { injectedNamespaces } from './namespaces.ts';

const CATEGORY = 'Pods';

const title = ({ metadata }: PodObject): string => `${metadata?.namespace}/${metadata?.name}`;

/** Pods that are to run on: those that ended or end are nobody's concern. */
async function livePods(context: CheckContext): Promise<PodObject[]> {
  const pods = await context.pods();
  return pods.filter(
    ({ metadata, status }) => !metadata?.deletionTimestamp && !['Succeeded', 'Failed'].includes(status?.phase ?? ''),
  );
}

export const sidecars: Check = {
  category: CATEGORY,
  title: 'pods without a sidecar',
  async run(context) {
    const [pods, views] = await Promise.all([livePods(context), injectedNamespaces(context)]);
    const byName = new Map(views.map((view) => [view.name, view]));
    const bare = pods.filter((pod) => {
      const view = byName.get(pod.metadata?.namespace ?? '');
      return view !== undefined && !isInjected(pod) && decideInjection(pod, view).verdict === 'inject';
    });
    if (bare.length > 0) {
      const next = 'they are from before the namespace opted in: kubectl rollout restart deployment -n NAMESPACE';
      return [warning(`${bare.length} pods have no sidecar: ${some(bare.map(title))}`, next)];
    }
    const meshed = pods.filter(isInjected).length;
    return views.length === 0 && meshed === 0 ? [] : [ok(`all pods that should have a sidecar have one: ${meshed}`)];
  },
};

export const readySidecars: Check = {
  category: CATEGORY,
  title: 'sidecars that are Ready',
  async run(context) {
    const meshed = (await livePods(context)).filter(isInjected);
    const waiting = meshed.filter(({ status }) =>
      status?.initContainerStatuses?.some(({ name, ready }) => name === PROXY_CONTAINER && !ready),
    );
    if (meshed.length === 0) return [];
    if (waiting.length === 0) return [ok(`the sidecars of ${meshed.length} pods have their configuration`)];
    const [first] = waiting;
    const next = `kubectl logs -n ${first?.metadata?.namespace} ${first?.metadata?.name} -c ${PROXY_CONTAINER}`;
    return [warning(`${waiting.length} sidecars are not Ready: ${some(waiting.map(title))}`, next)];
  },
};

export const sidecarVersions: Check = {
  category: CATEGORY,
  title: "sidecars' versions",
  async run(context) {
    const [pods, mesh] = await Promise.all([livePods(context), context.mesh()]);
    const meshed = pods.filter(isInjected);
    const images = meshed.filter((pod) => !hasImage(pod, mesh.proxy.image));
    const older = meshed.filter((pod) => injectionVersion(pod) !== INJECTION_VERSION);
    const findings: Finding[] = [];
    if (images.length > 0) {
      const which = some(images.map(title));
      findings.push(
        warning(`${images.length} sidecars are not of image ${mesh.proxy.image}: ${which}`, 'restart them to have it'),
      );
    }
    if (older.length > 0) {
      findings.push(
        warning(
          `${older.length} sidecars were injected by another version of Heddle: ${some(older.map(title))}`,
          'restart them',
        ),
      );
    }
    return findings.length > 0 || meshed.length === 0
      ? findings
      : [ok(`all sidecars are of image ${mesh.proxy.image}`)];
  },
};

/** Whether its sidecar is of an image, or the pod itself asks for another. */
function hasImage({ metadata, spec }: PodObject, image: string): boolean {
  if (metadata?.annotations?.['sidecar.istio.io/proxyImage'] !== undefined) return true;
  return spec?.initContainers?.some((each) => each.name === PROXY_CONTAINER && each.image === image) ?? false;
}

/** Of what was injected; undefined where it can't be read. */
export function injectionVersion({ metadata }: PodObject): string | undefined {
  try {
    const status = JSON.parse(metadata?.annotations?.[INJECTION_STATUS_ANNOTATION] ?? '{}') as { version?: string };
    return status.version;
  } catch {
    return undefined;
  }
}
