import type { Variable } from './dashboard.ts';
import { CALLS } from './queries.ts';

/** Namespaces of Services that were called. */
export const SERVICE_NAMESPACE: Variable = {
  name: 'namespace',
  label: 'Namespace',
  from: { of: 'label', series: `{${CALLS}}`, label: 'destination_service_namespace' },
  multiple: true,
};

/** Hosts that were called in them. */
export const SERVICE: Variable = {
  name: 'service',
  label: 'Service',
  from: { of: 'label', series: `{${CALLS},destination_service_namespace=~"$namespace"}`, label: 'destination_service' },
};

/** Callers know what never arrived; servers know callers without a sidecar. */
export const SIDE: Variable = {
  name: 'reporter',
  label: 'Counted by',
  from: { of: 'choice', values: ['source', 'destination'] },
};
