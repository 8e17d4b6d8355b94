import { findAuthorization } from './authorization.ts';
import type { EndpointContext } from './endpoint.ts';
import { buildInbound } from './inbound.ts';
import { localityOf } from './locality.ts';
import type { PodFacts } from './pod.ts';
import { findRateLimits } from './rate-limits.ts';
import { findSidecar } from './sidecar.ts';
import type { Workload } from './snapshot.ts';
import { spiffeIdOf } from './spiffe-id.ts';
import { findTelemetry } from './telemetry.ts';
import { findTokens } from './tokens.ts';

/**
 * The proxy in a pod.
 * @returns undefined when the pod has none
 */
export function buildWorkload({ settings, tables, mtls }: EndpointContext, pod: PodFacts): Workload | undefined {
  const decision = mtls.get(pod.uid);
  if (!pod.injected || decision === undefined) return undefined;
  const sidecar = findSidecar(settings, tables, pod);
  const telemetry = findTelemetry(settings, tables, pod);
  const { uid, name, namespace, serviceAccount, addresses, labels, revision, owner, node, proxyStarted, deleting } =
    pod;
  return {
    uid,
    name,
    namespace,
    serviceAccount,
    addresses,
    spiffeId: spiffeIdOf(settings, namespace, serviceAccount),
    labels,
    revision,
    owner,
    node,
    locality: localityOf(tables, pod),
    inbound: buildInbound(settings, pod, tables.servicesSelecting(pod), sidecar?.inbound),
    mtls: decision.effective,
    authorization: findAuthorization(settings, tables, pod),
    tokens: findTokens(tables, pod),
    rateLimits: findRateLimits(tables, pod),
    ...(telemetry === undefined ? {} : { telemetry }),
    ...(sidecar?.scope === undefined ? {} : { sidecar: sidecar.scope.key }),
    dnsCapture: pod.dnsCapture,
    ...(pod.boundsRefusalLog ? { boundsRefusalLog: true } : {}),
    onDemand: (pod.configurationLoading ?? settings.proxy.configurationLoading) === 'on-demand',
    proxyStarted,
    terminating: deleting,
  };
}
