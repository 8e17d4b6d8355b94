import { type Findings, isAddress, isDnsName } from './field-check.ts';
import type { ServiceEntrySpec } from './service-entry.ts';
import type { WorkloadEntrySpec } from './workload-entry.ts';
import { checkWorkloadEntry, isUnixAddress } from './workload-entry-judgement.ts';

/** Reports endpoints of a ServiceEntry that do not go with its resolution, its hosts or its ports. */
export function checkServiceEntryEndpoints(found: Findings, spec: ServiceEntrySpec): void {
  const { endpoints = [], ports = [], resolution = 'NONE' } = spec;
  if (resolution === 'NONE' && endpoints.length > 0) {
    found.error('spec.endpoints', 'must be empty with resolution NONE; remove them, or write STATIC or DNS');
  }
  if (resolution === 'DNS_ROUND_ROBIN' && endpoints.length > 1) {
    found.error('spec.endpoints', 'must be at most one with resolution DNS_ROUND_ROBIN; write DNS for several');
  }
  const names = new Set(ports.map(({ name }) => name));
  for (const [index, endpoint] of endpoints.entries()) {
    const field = `spec.endpoints[${index}]`;
    checkWorkloadEntry(found, field, endpoint);
    checkEndpointPorts(found, field, endpoint, names);
    checkEndpointAddress(found, `${field}.address`, endpoint, spec);
  }
  checkWhereItLeads(found, spec);
}

function checkEndpointPorts(
  found: Findings,
  field: string,
  { ports = {} }: WorkloadEntrySpec,
  names: Set<string>,
): void {
  for (const name of Object.keys(ports)) {
    if (!names.has(name)) found.error(`${field}.ports[${name}]`, 'must be the name of one of spec.ports');
  }
}

function checkEndpointAddress(
  found: Findings,
  field: string,
  { address = '' }: WorkloadEntrySpec,
  spec: ServiceEntrySpec,
): void {
  const { resolution = 'NONE', ports = [] } = spec;
  if (address === '') return;
  if (resolution === 'STATIC' && isUnixAddress(address)) {
    if (ports.length !== 1) found.error('spec.ports', 'must be exactly one where an endpoint is a Unix domain socket');
  } else if (resolution === 'STATIC' && !isAddress(address)) {
    found.error(field, `must be an IP address with resolution STATIC, and is "${address}"; for names write DNS`);
  } else if (resolution.startsWith('DNS') && !isAddress(address) && !isDnsName(address)) {
    found.error(field, `must be a DNS name or an IP address, and is "${address}"`);
  }
}

/** Without endpoints, names are resolved from the hosts, and STATIC leads nowhere. */
function checkWhereItLeads(found: Findings, spec: ServiceEntrySpec): void {
  const { hosts, endpoints = [], workloadSelector, resolution = 'NONE', location = 'MESH_EXTERNAL' } = spec;
  if (endpoints.length === 0 && workloadSelector === undefined && resolution === 'STATIC') {
    found.warn('spec.endpoints', 'is empty, as is workloadSelector: every request is answered with 503');
  }
  for (const [index, host] of hosts.entries()) {
    const field = `spec.hosts[${index}]`;
    if (resolution.startsWith('DNS') && endpoints.length === 0 && host.startsWith('*')) {
      found.error(
        field,
        `must have no wildcard with resolution ${resolution} and no endpoints; there is no name to resolve`,
      );
    }
    if (resolution === 'DYNAMIC_DNS' && !host.startsWith('*')) {
      found.error(field, 'must have a wildcard with resolution DYNAMIC_DNS; for a single name write DNS');
    }
  }
  if (resolution !== 'DYNAMIC_DNS') return;
  if (location !== 'MESH_EXTERNAL') found.error('spec.location', 'must be MESH_EXTERNAL with resolution DYNAMIC_DNS');
  if (endpoints.length > 0) found.warn('spec.endpoints', 'have no effect with resolution DYNAMIC_DNS');
}
