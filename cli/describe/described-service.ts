import type { V1Service } from '@kubernetes/client-node';
import { SIDE_ANNOTATION, sideProblem } from '../../api/canary-side.ts';
import { coversHostname } from '../../operator/mesh/hostname.ts';
import { matchSelector } from '../../operator/mesh/selector.ts';
import type { Endpoint, MeshService, MeshSnapshot, Workload } from '../../operator/mesh/snapshot.ts';
import type { Visibility } from '../../operator/mesh/visibility.ts';
import { selects } from '../../operator/xds/destination.ts';
import { sideNote } from '../explain/side-note.ts';
import { nameOf } from '../explain/words.ts';
import { type AppliedPolicies, policiesOf } from './applied-policies.ts';
import { protocolWords } from './port-words.ts';

/** What is to be said of a Service. */
export interface DescribedService {
  readonly name: string;
  readonly hostname: string;
  readonly kind: MeshService['kind'];
  readonly ports: readonly {
    readonly port: number;
    readonly name: string;
    readonly targetPort: number | string;
    readonly protocol: string;
  }[];
  /** Pods that are there to take its requests, and those of them without a sidecar. */
  readonly endpoints: {
    readonly ready: number;
    readonly withoutSidecar: number;
    readonly revisions: Readonly<Record<string, number>>;
  };
  readonly visibleTo: string;
  /** Pods with the same policies together. */
  readonly policies: readonly (AppliedPolicies & { readonly pods: readonly string[] })[];
  readonly routes: readonly string[];
  readonly destinationRules: readonly string[];
  readonly canary?: string;
}

/** @param written the object, for what is not read of it */
export function describeService(
  snapshot: MeshSnapshot,
  service: MeshService,
  written: V1Service | undefined,
): DescribedService {
  const endpoints = snapshot.endpoints.get(service.key) ?? [];
  const ports = (written?.spec?.ports ?? []).map((one) => ({
    port: one.port,
    name: one.name ?? '',
    targetPort: one.targetPort ?? one.port,
    protocol: protocolWords(one),
  }));
  return {
    name: `${service.namespace}/${service.name}`,
    hostname: service.hostname,
    kind: service.kind,
    ports,
    endpoints: {
      ready: endpoints.filter(({ gated }) => !gated).length,
      withoutSidecar: endpoints.filter(({ workload = '' }) => !snapshot.workloads.has(workload)).length,
      revisions: Object.fromEntries(
        [...Map.groupBy(endpoints, ({ revision }) => revision)].map(([revision, own]) => [revision, own.length]),
      ),
    },
    visibleTo: visibilityWords(service.visibility),
    policies: groupPolicies(workloadsOf(snapshot, service)),
    routes: routesOf(snapshot, service),
    destinationRules: destinationRulesOf(snapshot, service, endpoints),
    ...canaryOf(service, written),
  };
}

/** Pods with a sidecar that a Service selects. */
export function workloadsOf({ workloads }: MeshSnapshot, { namespace, selector }: MeshService): Workload[] {
  return [...workloads.values()].filter((one) => one.namespace === namespace && matchSelector(selector, one.labels));
}

function groupPolicies(workloads: readonly Workload[]): (AppliedPolicies & { pods: string[] })[] {
  const groups = Map.groupBy(workloads, (workload) => JSON.stringify(policiesOf(workload)));
  return [...groups.values()].flatMap((own) => {
    const [first] = own;
    return first === undefined ? [] : [{ ...policiesOf(first), pods: own.map(({ name }) => name).sort() }];
  });
}

function visibilityWords(visibility: Visibility): string {
  if (visibility === '*') return 'all namespaces';
  return visibility.length === 0 ? 'nobody' : `namespaces ${visibility.join(', ')} (exportTo)`;
}

/** What callers of a service follow: objects that are about its host. */
export function rulesAbout({ routeRules, destinationPolicies }: MeshSnapshot, { hostname }: MeshService) {
  return {
    routes: [...routeRules.values()].filter(({ hosts }) => hosts.some((host) => coversHostname(host, hostname))),
    destinations: [...destinationPolicies.values()].filter(({ host }) => coversHostname(host, hostname)),
  };
}

/** VirtualServices whose routes callers of the service have. */
export function routesOf(snapshot: MeshSnapshot, service: MeshService): string[] {
  return rulesAbout(snapshot, service).routes.map(({ object, http, tcp, tls, visibility }) => {
    const kinds = [
      [http.length, 'HTTP'],
      [tls.length, 'TLS'],
      [tcp.length, 'TCP'],
    ] as const;
    const rules = kinds.flatMap(([count, kind]) =>
      count === 0 ? [] : [`${count} ${count === 1 ? 'rule' : 'rules'} of ${kind}`],
    );
    return `${nameOf(object)}: ${rules.join(', ') || 'no rules'}, for ${visibilityWords(visibility)}`;
  });
}

function destinationRulesOf(snapshot: MeshSnapshot, service: MeshService, endpoints: readonly Endpoint[]): string[] {
  return rulesAbout(snapshot, service).destinations.map(({ object, policy, subsets, visibility }) => {
    const parts = subsets.map(({ name, labels }) => {
      const count = endpoints.filter((one) => selects(labels, one.labels)).length;
      return `subset ${name} (${count} ${count === 1 ? 'pod' : 'pods'})`;
    });
    const fields = Object.keys(policy ?? {});
    if (fields.length > 0) parts.unshift(fields.join(', '));
    return `${nameOf(object)}: ${parts.join('; ') || 'nothing'}, for ${visibilityWords(visibility)}`;
  });
}

/** How a Canary splits it, or whose side's address it is, or why it is not although it is to be. */
function canaryOf(service: MeshService, written: V1Service | undefined): Pick<DescribedService, 'canary'> {
  const words = splitWords(service);
  if (words !== '') return { canary: words };
  if (written?.metadata?.annotations?.[SIDE_ANNOTATION] === undefined) return {};
  const none = `metadata.annotations[${SIDE_ANNOTATION}] has no effect: no Canary with a stable revision releases a pod that the Service selects`;
  return { canary: sideProblem(written) ?? none };
}

function splitWords(service: MeshService): string {
  const { split } = service;
  if (split === undefined) return '';
  if (split.side !== undefined) return sideNote(service, true) ?? '';
  const { canary, stable, next, weight } = split;
  if (next === undefined) return `${nameOf(canary)}: all to revision ${stable}`;
  return `${nameOf(canary)}: ${100 - weight}% to revision ${stable}, ${weight}% to ${next}`;
}
