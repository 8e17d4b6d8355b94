import { checkExportTo, checkPort, type Findings, isHostOrWildcard, isSubnet } from './field-check.ts';
import type { FieldProblem, JudgedSpec } from './field-problem.ts';
import { checkPortName, checkProtocol, namesHost } from './port.ts';
import { type ServiceEntrySpec, serviceEntrySpec } from './service-entry.ts';
import { checkServiceEntryEndpoints } from './service-entry-endpoints.ts';
import { judgeSpec } from './spec-reader.ts';
import { unsupportedWorkloadEntryFields } from './workload-entry-judgement.ts';
import { checkWorkloadSelector } from './workload-selector.ts';

/**
 * Judges a ServiceEntry's spec: its schema, then what Istio refuses, then what is legal and hardly meant.
 * @param json the spec, of any shape
 */
export function judgeServiceEntry(json: unknown): JudgedSpec<ServiceEntrySpec> {
  return judgeSpec(serviceEntrySpec, json, checkSpec);
}

function checkSpec(found: Findings, spec: ServiceEntrySpec): void {
  checkHosts(found, spec);
  checkAddresses(found, spec);
  checkPorts(found, spec);
  checkServiceEntryEndpoints(found, spec);
  checkSelector(found, spec);
  checkExportTo(found, spec.exportTo, true);
  for (const [index, name] of (spec.subjectAltNames ?? []).entries()) {
    if (name === '') found.error(`spec.subjectAltNames[${index}]`, 'must not be empty; leave it out');
  }
  warnOfCapture(found, spec);
  found.warnings.push(...unsupportedServiceEntryFields(spec));
}

function checkHosts(found: Findings, { hosts, resolution }: ServiceEntrySpec): void {
  if (hosts.length === 0) found.error('spec.hosts', 'must name at least one host');
  const seen = new Set<string>();
  for (const [index, host] of hosts.entries()) {
    const field = `spec.hosts[${index}]`;
    if (host === '*' && resolution !== 'DYNAMIC_DNS') {
      found.error(field, 'must not be "*"; name a domain, such as "*.example.com"');
    } else if (!isHostOrWildcard(host)) {
      found.error(field, `must be a DNS name, perhaps with "*." in front, and is "${host}"`);
    }
    if (seen.has(host.toLowerCase())) found.warn(field, `"${host}" stands there already and has no effect`);
    seen.add(host.toLowerCase());
  }
}

function checkAddresses(found: Findings, { addresses = [], resolution = 'NONE' }: ServiceEntrySpec): void {
  for (const [index, address] of addresses.entries()) {
    const field = `spec.addresses[${index}]`;
    if (!isSubnet(address)) {
      found.error(field, `must be an IP address or a range such as "10.0.0.0/8", and is "${address}"`);
    } else if (address.includes('/') && resolution !== 'NONE' && resolution !== 'STATIC') {
      found.error(field, `must be a single address with resolution ${resolution}; ranges are for NONE and STATIC`);
    }
  }
}

function checkPorts(found: Findings, { ports = [], hosts, resolution = 'NONE' }: ServiceEntrySpec): void {
  const names = new Set<string>();
  const numbers = new Set<number>();
  for (const [index, { name, number, protocol, targetPort }] of ports.entries()) {
    const field = `spec.ports[${index}]`;
    checkPort(found, `${field}.number`, number);
    checkPort(found, `${field}.targetPort`, targetPort);
    checkPortName(found, `${field}.name`, name);
    checkProtocol(found, `${field}.protocol`, protocol);
    if (names.has(name)) found.error(`${field}.name`, `must be unique, and "${name}" is there already`);
    if (numbers.has(number)) found.error(`${field}.number`, `must be unique, and ${number} is there already`);
    names.add(name);
    numbers.add(number);
    if (hosts.length > 1 && resolution !== 'NONE' && !namesHost(protocol)) {
      found.error(
        `${field}.protocol`,
        `must tell the ${hosts.length} hosts apart, which ${protocol || 'a port without one'} can not; write HTTP, TLS or the like, or a ServiceEntry for each host`,
      );
    }
    if (targetPort !== undefined && targetPort !== number && resolution === 'NONE') {
      found.warn(`${field}.targetPort`, 'has no effect with resolution NONE: connections go where the client meant');
    }
  }
  if (ports.length === 0) found.warn('spec.ports', 'is empty: nothing can be called at this host');
}

function checkSelector(found: Findings, { workloadSelector, endpoints, resolution = 'NONE' }: ServiceEntrySpec): void {
  if (workloadSelector === undefined) return;
  checkWorkloadSelector(found, 'spec.workloadSelector', workloadSelector);
  if (endpoints !== undefined) {
    found.error('spec.workloadSelector', 'must not be set beside endpoints; keep one of the two');
  }
  if (Object.keys(workloadSelector.labels ?? {}).length === 0) {
    found.warn('spec.workloadSelector', 'has no labels and selects nothing');
  } else if (resolution === 'NONE' || resolution === 'DYNAMIC_DNS') {
    found.warn('spec.workloadSelector', `has no effect with resolution ${resolution}; write STATIC`);
  }
}

/** Says where connections are taken that nobody may have thought of. */
function warnOfCapture(found: Findings, { addresses = [], ports = [], resolution = 'NONE' }: ServiceEntrySpec): void {
  if (addresses.length > 0) return;
  for (const [index, { protocol = '', number }] of ports.entries()) {
    if (namesHost(protocol) || protocol.toLowerCase() === 'udp') continue;
    const effect = resolution === 'NONE' ? 'are let through to wherever they go' : 'go to this host';
    found.warn(
      `spec.ports[${index}]`,
      `captures every address: without addresses, all TCP connections to port ${number} that no other service takes ${effect}`,
    );
  }
}

/** What of a ServiceEntry Heddle's sidecars do not put in force. */
export function unsupportedServiceEntryFields(spec: ServiceEntrySpec): FieldProblem[] {
  const endpoints = (spec.endpoints ?? []).flatMap((endpoint, index) =>
    unsupportedWorkloadEntryFields(endpoint, `spec.endpoints[${index}]`),
  );
  const udp = (spec.ports ?? []).flatMap(({ protocol = '' }, index) =>
    protocol.toLowerCase() === 'udp'
      ? [{ field: `spec.ports[${index}].protocol`, message: 'is not in force: sidecars leave UDP alone' }]
      : [],
  );
  if (spec.resolution !== 'DYNAMIC_DNS') return [...udp, ...endpoints];
  const message = 'is not in force: DYNAMIC_DNS is not supported yet; name the hosts and write DNS, or write NONE';
  return [{ field: 'spec.resolution', message }, ...udp];
}
