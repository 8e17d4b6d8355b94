import type { CustomResource } from './custom-resource.ts';
import { DESTINATION_RULE_KIND, destinationRuleSpec } from './destination-rule.ts';
import { istioStatus } from './istio-status.ts';
import { NETWORKING_GROUP, NETWORKING_VERSIONS } from './networking.ts';
import { AGE, type PrinterColumn, STATE } from './printer-columns.ts';
import { SERVICE_ENTRY_KIND, serviceEntrySpec, serviceEntryStatus } from './service-entry.ts';
import { SIDECAR_KIND, sidecarSpec } from './sidecar.ts';
import { VIRTUAL_SERVICE_KIND, virtualServiceSpec } from './virtual-service.ts';
import { WORKLOAD_ENTRY_KIND, workloadEntrySpec } from './workload-entry.ts';

/** What all kinds of the group have in common; names of the columns are Istio's. */
const networking = {
  group: NETWORKING_GROUP,
  categories: ['istio-io', 'networking-istio-io'],
  versions: NETWORKING_VERSIONS,
  status: istioStatus,
  owner: 'istio',
} as const;

const fieldOfSpec = (name: string, field: string, description: string): PrinterColumn => ({
  name,
  type: 'string',
  jsonPath: `.spec.${field}`,
  description,
});

const virtualService: CustomResource = {
  ...networking,
  kind: VIRTUAL_SERVICE_KIND,
  plural: 'virtualservices',
  singular: 'virtualservice',
  shortNames: ['vs'],
  description: 'A VirtualService says where requests to hosts go, and what happens to them on the way.',
  spec: virtualServiceSpec,
  specRequired: false,
  columns: [
    fieldOfSpec('Gateways', 'gateways', 'Where it holds; "mesh", or nothing, is the sidecars.'),
    fieldOfSpec('Hosts', 'hosts', 'Hosts whose requests it is about.'),
    ...STATE,
    AGE,
  ],
};

const destinationRule: CustomResource = {
  ...networking,
  kind: DESTINATION_RULE_KIND,
  plural: 'destinationrules',
  singular: 'destinationrule',
  shortNames: ['dr'],
  description:
    'A DestinationRule says how hosts are called once requests are routed to them, and what subsets they have.',
  spec: destinationRuleSpec,
  specRequired: false,
  columns: [fieldOfSpec('Host', 'host', 'Host it is about.'), ...STATE, AGE],
};

const serviceEntry: CustomResource = {
  ...networking,
  kind: SERVICE_ENTRY_KIND,
  plural: 'serviceentries',
  singular: 'serviceentry',
  shortNames: ['se'],
  description:
    'A ServiceEntry makes a service known to the mesh that Kubernetes does not know, outside of it or within.',
  spec: serviceEntrySpec,
  specRequired: true,
  status: serviceEntryStatus,
  columns: [
    fieldOfSpec('Hosts', 'hosts', 'DNS names of the service.'),
    fieldOfSpec('Location', 'location', 'Whether it is of the mesh (MESH_INTERNAL) or not (MESH_EXTERNAL).'),
    fieldOfSpec('Resolution', 'resolution', 'How its endpoints are found.'),
    ...STATE,
    AGE,
  ],
};

const workloadEntry: CustomResource = {
  ...networking,
  kind: WORKLOAD_ENTRY_KIND,
  plural: 'workloadentries',
  singular: 'workloadentry',
  shortNames: ['we'],
  description: 'A WorkloadEntry is a workload that is no pod, such as a virtual machine, which ServiceEntries select.',
  spec: workloadEntrySpec,
  specRequired: true,
  columns: [AGE, fieldOfSpec('Address', 'address', 'Its IP address or DNS name.'), ...STATE],
};

const sidecar: CustomResource = {
  ...networking,
  kind: SIDECAR_KIND,
  plural: 'sidecars',
  singular: 'sidecar',
  shortNames: [],
  description: 'A Sidecar says what the sidecars of pods see of the mesh, and what they serve.',
  spec: sidecarSpec,
  specRequired: false,
  columns: [...STATE, AGE],
};

/** Istio's traffic kinds. */
export const NETWORKING_RESOURCES: readonly CustomResource[] = [
  virtualService,
  destinationRule,
  serviceEntry,
  workloadEntry,
  sidecar,
];
