/** API group of Istio's traffic kinds: VirtualService, DestinationRule, ServiceEntry, WorkloadEntry, Sidecar. */
export const NETWORKING_GROUP = 'networking.istio.io';

/** Versions they are served in, the preferred one first. All have the same schema. */
export const NETWORKING_VERSIONS = ['v1', 'v1beta1', 'v1alpha3'] as const;
