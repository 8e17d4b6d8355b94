import type { V1EndpointSlice } from '@kubernetes/client-node';
import { keyOf } from './mesh-object.ts';

/** One endpoint of a slice. */
export interface SliceEndpoint {
  /** Kubernetes documents all but the first address as fungible and to be ignored. */
  readonly address: string;
  readonly ready: boolean;
  readonly terminating: boolean;
  /** UID of the pod, or `namespace/name` where the slice gives no UID; absent when the endpoint is no pod. */
  readonly pod?: string;
  readonly zone: string;
}

/** What the mesh reads of an EndpointSlice. */
export interface SliceFacts {
  readonly key: string;
  readonly namespace: string;
  /** `namespace/name`; absent when the slice belongs to no Service. */
  readonly service?: string;
  readonly ports: Readonly<Record<string, number>>;
  readonly endpoints: readonly SliceEndpoint[];
}

const SERVICE_LABEL = 'kubernetes.io/service-name';

/** Reads an EndpointSlice. Slices of DNS names (`addressType: FQDN`) have no endpoints for us, as for kube-proxy. */
export function readSlice(slice: V1EndpointSlice): SliceFacts {
  const namespace = slice.metadata?.namespace ?? '';
  const service = slice.metadata?.labels?.[SERVICE_LABEL];
  const endpoints = slice.addressType === 'FQDN' ? [] : (slice.endpoints ?? []);
  return {
    key: keyOf(slice.metadata),
    namespace,
    ...(service ? { service: `${namespace}/${service}` } : {}),
    ports: readPorts(slice),
    endpoints: endpoints.map(({ addresses, conditions, targetRef, zone }) => {
      const pod = targetRef?.kind === 'Pod' ? (targetRef.uid ?? `${namespace}/${targetRef.name ?? ''}`) : undefined;
      return {
        address: addresses[0] ?? '',
        // An absent `ready` means true.
        ready: conditions?.ready !== false,
        terminating: conditions?.terminating === true,
        ...(pod === undefined ? {} : { pod }),
        zone: zone ?? '',
      };
    }),
  };
}

/** Port numbers by Service port name, in order of name, so that equal ports read alike. A port without number is left out. */
function readPorts({ ports }: V1EndpointSlice): Record<string, number> {
  const entries: [string, number][] = [];
  for (const { name, port } of ports ?? []) if (typeof port === 'number') entries.push([name ?? '', port]);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
