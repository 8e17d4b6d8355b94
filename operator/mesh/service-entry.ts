import {
  SERVICE_ENTRY_KIND,
  type ServiceEntry,
  type ServiceEntryPort,
  type ServiceEntrySpec,
} from '../../api/service-entry.ts';
import { judgeServiceEntry, unsupportedServiceEntryFields } from '../../api/service-entry-judgement.ts';
import { dnsAddressOf } from './dns-address.ts';
import type { IngestionTarget } from './ingestion.ts';
import { creationTime, keyOf } from './mesh-object.ts';
import type { ObjectRef } from './object-ref.ts';
import { protocolOf } from './protocol.ts';
import type { Labels } from './selector.ts';
import type { Hostname, Problem, Resolution, ServicePort } from './snapshot.ts';
import { invalidSpec, unsupportedNotes } from './spec-problem.ts';
import { readVisibility, type Visibility } from './visibility.ts';
import { type EntryWorkload, readEntryWorkload } from './workload-entry-endpoint.ts';

/** What the mesh reads of a ServiceEntry. Of one that is not in force only the problems and notes are there. */
export interface ServiceEntryFacts {
  readonly key: string;
  readonly ref: ObjectRef;
  readonly createdAt: number;
  readonly generation: number;
  /** In lower case, each once. */
  readonly hosts: readonly Hostname[];
  /** Those that need an address of DNS capture, and which it would be. */
  readonly dnsHosts: readonly { readonly hostname: Hostname; readonly address: string }[];
  readonly visibility: Visibility;
  readonly resolution: Resolution;
  readonly external: boolean;
  readonly addresses: readonly string[];
  readonly subjectAltNames: readonly string[];
  readonly ports: readonly ServicePort[];
  readonly endpoints: readonly EntryWorkload[];
  /** Of pods and WorkloadEntries; empty: none. */
  readonly selector: Labels;
  /** With resolution by DNS and neither endpoints nor a selector, each host is resolved itself. */
  readonly resolvesHosts: boolean;
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
}

const RESOLUTIONS: Readonly<Record<NonNullable<ServiceEntrySpec['resolution']>, Resolution | undefined>> = {
  NONE: 'original-destination',
  STATIC: 'endpoints',
  DNS: 'dns',
  DNS_ROUND_ROBIN: 'dns-round-robin',
  DYNAMIC_DNS: undefined,
};

/** Reads a ServiceEntry, of any shape. One that can't be right, or that is not supported as a whole, claims no hosts. */
export function readServiceEntry({ metadata, spec: json }: ServiceEntry): ServiceEntryFacts {
  const ref: ObjectRef = { kind: SERVICE_ENTRY_KIND, namespace: metadata.namespace, name: metadata.name };
  const identity = {
    key: keyOf(metadata),
    ref,
    createdAt: creationTime(metadata),
    generation: metadata.generation ?? 0,
  };
  const { errors, spec } = judgeServiceEntry(json);
  const problems = invalidSpec(ref, errors);
  if (spec === undefined) return { ...identity, ...NOT_IN_FORCE, problems, notes: [] };
  const notes = unsupportedNotes(unsupportedServiceEntryFields(spec));
  const resolution = RESOLUTIONS[spec.resolution ?? 'NONE'];
  if (resolution === undefined) return { ...identity, ...NOT_IN_FORCE, problems, notes };
  return { ...identity, ...readForce(metadata.namespace, spec, resolution), problems, notes };
}

type InForce = Omit<ServiceEntryFacts, 'key' | 'ref' | 'createdAt' | 'generation' | 'problems' | 'notes'>;

const NOT_IN_FORCE: InForce = {
  hosts: [],
  dnsHosts: [],
  visibility: [],
  resolution: 'endpoints',
  external: true,
  addresses: [],
  subjectAltNames: [],
  ports: [],
  endpoints: [],
  selector: {},
  resolvesHosts: false,
};

/** Its services, whoever claims the same hosts or DNS addresses, and the WorkloadEntries it selects. */
export function markServiceEntry({ tables, dirty }: IngestionTarget, entry: ServiceEntryFacts): void {
  const { namespace } = entry.ref;
  dirty.markEntry(entry);
  for (const host of entry.hosts) {
    dirty.hostnames.add(host);
    for (const key of tables.serviceEntries.find('claim', `${namespace}/${host}`)) dirty.serviceEntries.add(key);
  }
  for (const { hostname, address } of entry.dnsHosts) {
    const claims = tables.serviceEntries.find('dnsAddress', address);
    // As a rule they are all of this hostname, and none of them has to give way.
    if (tables.serviceEntries.find('dnsAddress', `${address} ${hostname}`).size === claims.size) continue;
    for (const other of tables.serviceEntries.select('dnsAddress', address)) dirty.markEntry(other);
  }
  const selected = tables.workloadEntriesSelectedBy(namespace, entry.selector);
  for (const { key } of selected) dirty.workloadEntries.add(key);
}

/** Index values for the addresses its hosts would have: each address alone, and with the first host that would have it. */
export function dnsTerms({ dnsHosts }: ServiceEntryFacts): string[] {
  const claims = new Map([...dnsHosts].reverse().map(({ address, hostname }) => [address, hostname]));
  return [...claims].flatMap(([address, hostname]) => [address, `${address} ${hostname}`]);
}

function readForce(namespace: string, spec: ServiceEntrySpec, resolution: Resolution): InForce {
  const passesThrough = resolution === 'original-destination';
  const hosts = [...new Set(spec.hosts.map((host) => host.toLowerCase().replace(/\.$/, '')))];
  const addresses = [...new Set((spec.addresses ?? []).map(readAddress))];
  const needAddress = addresses.length === 0 && !passesThrough ? hosts.filter((host) => !host.startsWith('*')) : [];
  const byDns = resolution === 'dns' || resolution === 'dns-round-robin';
  return {
    hosts,
    dnsHosts: needAddress.map((hostname) => ({ hostname, address: dnsAddressOf(hostname) })),
    visibility: readVisibility(spec.exportTo, namespace),
    resolution,
    external: spec.location !== 'MESH_INTERNAL',
    addresses,
    subjectAltNames: spec.subjectAltNames ?? [],
    ports: (spec.ports ?? []).map(readPort),
    endpoints: (spec.endpoints ?? []).flatMap((one) => readEntryWorkload(one, one.labels ?? {}) ?? []),
    selector: passesThrough ? {} : (spec.workloadSelector?.labels ?? {}),
    resolvesHosts: byDns && (spec.endpoints ?? []).length === 0 && spec.workloadSelector === undefined,
  };
}

/** A block of one address is that address. */
function readAddress(address: string): string {
  return address.replace(address.includes(':') ? /\/128$/ : /\/32$/, '').toLowerCase();
}

/** Unlike a Service's, such a port's name does not tell its protocol. */
function readPort({ name, number, protocol, targetPort = number }: ServiceEntryPort): ServicePort {
  const appProtocol = protocol === undefined || protocol === '' ? undefined : protocol;
  const numbers = [number, targetPort];
  return { name, port: number, targetPort, protocol: protocolOf({ appProtocol, numbers }) };
}
