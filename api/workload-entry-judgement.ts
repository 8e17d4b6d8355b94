import { checkLabels, checkPort, type Findings, isAddress, isDnsName } from './field-check.ts';
import type { FieldProblem, JudgedSpec } from './field-problem.ts';
import { checkPortName } from './port.ts';
import { judgeSpec } from './spec-reader.ts';
import { type WorkloadEntrySpec, workloadEntrySpec } from './workload-entry.ts';

const UNIX_PREFIX = 'unix://';

/** Whether an address is a Unix domain socket, which Heddle's sidecars do not call. */
export const isUnixAddress = (address = ''): boolean => address.startsWith(UNIX_PREFIX);

/**
 * Judges a WorkloadEntry's spec: its schema, then what can be known to be wrong without its ServiceEntry.
 * @param json the spec, of any shape
 */
export function judgeWorkloadEntry(json: unknown): JudgedSpec<WorkloadEntrySpec> {
  return judgeSpec(workloadEntrySpec, json, checkSpec);
}

function checkSpec(found: Findings, spec: WorkloadEntrySpec): void {
  checkWorkloadEntry(found, 'spec', spec);
  const { address = '' } = spec;
  if (address !== '' && !isUnixAddress(address) && !isAddress(address) && !isDnsName(address)) {
    found.error('spec.address', `must be an IP address or a DNS name, and is "${address}"`);
  }
  found.warnings.push(...unsupportedWorkloadEntryFields(spec));
}

/**
 * Reports what is wrong with a WorkloadEntry wherever it stands; whether its address must be an IP address or may be a name is for the caller.
 * @param field path of the entry: `spec`, or `spec.endpoints[0]` in a ServiceEntry
 */
export function checkWorkloadEntry(found: Findings, field: string, entry: WorkloadEntrySpec): void {
  const { address = '', network = '', ports = {}, labels, locality } = entry;
  if (address === '' && network === '') {
    found.error(`${field}.address`, 'must be set; write the IP address or the DNS name of the workload');
  }
  if (isUnixAddress(address)) checkUnixAddress(found, field, entry);
  for (const [name, port] of Object.entries(ports)) {
    checkPortName(found, `${field}.ports[${name}]`, name);
    checkPort(found, `${field}.ports[${name}]`, port);
  }
  checkLabels(found, `${field}.labels`, labels);
  if (locality !== undefined && locality !== '' && !isLocality(locality)) {
    found.warn(`${field}.locality`, `should be region, region/zone or region/zone/subzone, and is "${locality}"`);
  }
}

function checkUnixAddress(found: Findings, field: string, { address = '', ports = {} }: WorkloadEntrySpec): void {
  const path = address.slice(UNIX_PREFIX.length);
  if (!/^[/@]/.test(path) || path.endsWith('/')) {
    found.error(`${field}.address`, 'must be the absolute path of a socket, such as "unix:///run/app.sock"');
  }
  if (Object.keys(ports).length > 0)
    found.error(`${field}.ports`, 'must not be set for a Unix domain socket; remove it');
}

const isLocality = (text: string): boolean => {
  const parts = text.split('/');
  return parts.length <= 3 && parts.every((part) => part !== '');
};

/**
 * What of a WorkloadEntry Heddle does not put in force.
 * @param field path of the entry, as for {@link checkWorkloadEntry}
 */
export function unsupportedWorkloadEntryFields(entry: WorkloadEntrySpec, field = 'spec'): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (isUnixAddress(entry.address)) {
    problems.push({
      field: `${field}.address`,
      message: 'is not in force: sidecars do not call Unix domain sockets; write an IP address',
    });
  }
  if (entry.network !== undefined && entry.network !== '') {
    const message = entry.address
      ? 'every address is taken as reachable directly'
      : 'an endpoint without an address is left out';
    problems.push({ field: `${field}.network`, message: `is not in force: ${message}` });
  }
  return problems;
}
