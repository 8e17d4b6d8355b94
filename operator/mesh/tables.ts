import { ATTACHMENT_COLUMNS, type AttachmentIndex } from './attachment.ts';
import type { AuthorizationPolicyFacts } from './authorization-policy.ts';
import type { CanaryFacts } from './canary.ts';
import type { DestinationRuleFacts } from './destination-rule.ts';
import type { SliceFacts } from './endpoint-slice.ts';
import { FactTable } from './fact-table.ts';
import type { JwksFacts } from './jwks.ts';
import type { NamespaceFacts } from './namespace.ts';
import type { NodeFacts } from './node.ts';
import type { PeerAuthenticationFacts } from './peer-authentication.ts';
import { type PodFacts, partialTerms, wholePageTerms } from './pod.ts';
import type { RateLimitPolicyFacts } from './rate-limit-policy.ts';
import type { RequestAuthenticationFacts } from './request-authentication.ts';
import { type Labels, labelTerms, matchSelector, selectorTerm } from './selector.ts';
import type { ServiceFacts } from './service.ts';
import { dnsTerms, type ServiceEntryFacts } from './service-entry.ts';
import type { SidecarFacts } from './sidecar.ts';
import type { TelemetryFacts } from './telemetry-facts.ts';
import type { UndiscoveredPolicy } from './undiscovered.ts';
import type { VirtualServiceFacts } from './virtual-service.ts';
import type { WorkloadEntryFacts } from './workload-entry.ts';

/** All facts that the mesh is built from, and the indexes that keep a change from costing more than what it touches. */
export class MeshTables {
  readonly namespaces = new FactTable<NamespaceFacts>({});
  readonly nodes = new FactTable<NodeFacts>({});
  readonly pods = new FactTable<
    PodFacts,
    'uid' | 'node' | 'namespace' | 'injected' | 'partial' | 'wholePage' | 'owner' | 'label'
  >({
    uid: ({ uid }) => [uid],
    node: ({ node }) => [node],
    namespace: ({ namespace }) => [namespace],
    injected: ({ injected, namespace }) => (injected ? [namespace] : []),
    partial: partialTerms,
    wholePage: wholePageTerms,
    owner: ({ ownerKey }) => [ownerKey],
    label: ({ namespace, labels }) => labelTerms(namespace, labels),
  });
  readonly services = new FactTable<ServiceFacts, 'term'>({
    term: ({ namespace, selector }) => selectorTerm(namespace, selector),
  });
  readonly slices = new FactTable<SliceFacts, 'service' | 'pod'>({
    service: ({ service }) => (service === undefined ? [] : [service]),
    pod: ({ endpoints }) => endpoints.flatMap(({ pod }) => (pod === undefined ? [] : [pod])),
  });
  readonly canaries = new FactTable<CanaryFacts, 'target' | 'namespace'>({
    target: ({ target }) => [target],
    namespace: ({ ref }) => [ref.namespace],
  });
  /** `provider`: name of whom it asks. */
  readonly authorizationPolicies = new FactTable<AuthorizationPolicyFacts, AttachmentIndex | 'provider'>({
    ...ATTACHMENT_COLUMNS,
    provider: ({ rules }) => (rules?.provider === undefined ? [] : [rules.provider]),
  });
  /** `uri`: where its keys are fetched. */
  readonly requestAuthentications = new FactTable<RequestAuthenticationFacts, AttachmentIndex | 'uri'>({
    ...ATTACHMENT_COLUMNS,
    uri: ({ uris }) => uris,
  });
  readonly rateLimitPolicies = new FactTable<RateLimitPolicyFacts, AttachmentIndex>(ATTACHMENT_COLUMNS);
  readonly jwks = new FactTable<JwksFacts>({});
  readonly peerAuthentications = new FactTable<PeerAuthenticationFacts, 'namespace'>({
    namespace: ({ ref }) => [ref.namespace],
  });
  /** `destination`: hostnames that routes lead to. `delegate`: `namespace/name` of the VirtualServices that routes are delegated to. */
  readonly virtualServices = new FactTable<VirtualServiceFacts, 'namespace' | 'host' | 'destination' | 'delegate'>({
    namespace: ({ ref }) => [ref.namespace],
    host: ({ hosts }) => hosts,
    destination: ({ destinations }) => destinations,
    delegate: ({ delegates }) => delegates,
  });
  readonly destinationRules = new FactTable<DestinationRuleFacts, 'namespace' | 'host'>({
    namespace: ({ ref }) => [ref.namespace],
    host: ({ host }) => [host],
  });
  /**
   * `host`: hostnames it claims. `claim`: the same as `namespace/hostname`. `dnsAddress`: addresses for those that have none, see
   * `dnsTerms`. `term`: by its workload selector.
   */
  readonly serviceEntries = new FactTable<ServiceEntryFacts, 'namespace' | 'host' | 'claim' | 'dnsAddress' | 'term'>({
    namespace: ({ ref }) => [ref.namespace],
    host: ({ hosts }) => hosts,
    claim: ({ ref, hosts }) => hosts.map((host) => `${ref.namespace}/${host}`),
    dnsAddress: dnsTerms,
    term: ({ ref, selector }) => selectorTerm(ref.namespace, selector),
  });
  readonly workloadEntries = new FactTable<WorkloadEntryFacts, 'namespace' | 'label'>({
    namespace: ({ ref }) => [ref.namespace],
    label: ({ ref, labels }) => labelTerms(ref.namespace, labels),
  });
  /** `term`: by its workload selector. `blanket`: namespace of those without one. Both only of those in force. */
  readonly sidecars = new FactTable<SidecarFacts, 'namespace' | 'term' | 'blanket'>({
    namespace: ({ ref }) => [ref.namespace],
    term: ({ ref, selector }) => selectorTerm(ref.namespace, selector),
    blanket: ({ ref, selector, scope }) =>
      scope === undefined || Object.keys(selector).length > 0 ? [] : [ref.namespace],
  });
  readonly telemetries = new FactTable<TelemetryFacts, AttachmentIndex>(ATTACHMENT_COLUMNS);

  /** Policies in namespaces that are not discovered, by `kind/namespace/name`. */
  readonly undiscovered = new FactTable<UndiscoveredPolicy, 'namespace'>({
    namespace: ({ ref }) => [ref.namespace],
  });

  /** The pod that a slice's `targetRef` names: by UID, or by `namespace/name` where the slice has no UID. */
  podOf(reference: string): PodFacts | undefined {
    if (reference.includes('/')) return this.pods.get(reference);
    const [pod] = this.pods.select('uid', reference);
    return pod;
  }

  /** Keys of the Services whose slices hold a pod. */
  *servicesHolding({ uid, key }: Pick<PodFacts, 'uid' | 'key'>): Generator<string> {
    for (const reference of [uid, key]) {
      for (const { service } of this.slices.select('pod', reference)) if (service !== undefined) yield service;
    }
  }

  /** Services that select a pod. */
  *servicesSelecting({ namespace, labels }: Pick<PodFacts, 'namespace' | 'labels'>): Generator<ServiceFacts> {
    for (const term of labelTerms(namespace, labels)) {
      for (const service of this.services.select('term', term)) {
        if (matchSelector(service.selector, labels)) yield service;
      }
    }
  }

  /** ServiceEntries whose workload selector matches the labels of a pod or a WorkloadEntry. */
  *entriesSelecting(namespace: string, labels: Labels): Generator<ServiceEntryFacts> {
    for (const term of labelTerms(namespace, labels)) {
      for (const entry of this.serviceEntries.select('term', term)) {
        if (matchSelector(entry.selector, labels)) yield entry;
      }
    }
  }

  /** WorkloadEntries that a Service or ServiceEntry selects. */
  *workloadEntriesSelectedBy(namespace: string, selector: Labels): Generator<WorkloadEntryFacts> {
    for (const term of selectorTerm(namespace, selector)) {
      for (const entry of this.workloadEntries.select('label', term)) {
        if (matchSelector(selector, entry.labels)) yield entry;
      }
    }
  }

  /** Pods that a Service selects. */
  *podsSelectedBy({ namespace, selector }: Pick<ServiceFacts, 'namespace' | 'selector'>): Generator<PodFacts> {
    for (const term of selectorTerm(namespace, selector)) {
      for (const pod of this.pods.select('label', term)) if (matchSelector(selector, pod.labels)) yield pod;
    }
  }
}
