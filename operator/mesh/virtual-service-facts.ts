import type { FieldProblem } from '../../api/field-problem.ts';
import {
  judgeVirtualService,
  unsupportedVirtualServiceFields,
  VIRTUAL_SERVICE_KIND,
  type VirtualService,
  type VirtualServiceSpec,
} from '../../api/virtual-service.ts';
import { isForSidecars } from '../../api/virtual-service-hosts.ts';
import { resolveHostname } from './hostname.ts';
import { creationTime, keyOf } from './mesh-object.ts';
import type { ObjectRef } from './object-ref.ts';
import type { TcpMatch, TlsMatch, WeightedBackend } from './route-rule.ts';
import type { Hostname, MeshSettings, Problem } from './snapshot.ts';
import { invalidSpec, unsupportedNotes } from './spec-problem.ts';
import { DestinationReader, type Reference } from './virtual-service-destination.ts';
import { type HttpRuleFacts, readHttpRule } from './virtual-service-http.ts';
import { readMatches, readTcpMatch, readTlsMatch } from './virtual-service-match.ts';
import { readVisibility, type Visibility } from './visibility.ts';

/** A TLS or TCP rule and its path. */
export interface ConnectionRuleFacts<Match> {
  /** As in `spec.tcp[0]`. */
  readonly field: string;
  readonly matches: readonly Match[];
  readonly backends: readonly WeightedBackend[];
}

/**
 * What the mesh reads of a VirtualService. Of one that is not in force for sidecars only identity, problems and notes are there.
 */
export interface VirtualServiceFacts {
  readonly key: string;
  readonly ref: ObjectRef;
  readonly createdAt: number;
  readonly generation: number;
  /**
   * `routes`: it has hosts, and routes their traffic. `delegate`: it has none, and lends its HTTP rules. `gateways`: it is for gateways only.
   * `invalid`: it can't be right.
   */
  readonly role: 'routes' | 'delegate' | 'gateways' | 'invalid';
  /** Fully qualified, each once; empty unless it routes. */
  readonly hosts: readonly Hostname[];
  readonly visibility: Visibility;
  readonly http: readonly HttpRuleFacts[];
  readonly tls: readonly ConnectionRuleFacts<TlsMatch>[];
  readonly tcp: readonly ConnectionRuleFacts<TcpMatch>[];
  /** Every place that names a service. */
  readonly references: readonly Reference[];
  /** Hostnames that its routes and mirrors lead to, each once. */
  readonly destinations: readonly Hostname[];
  /** `namespace/name` of the VirtualServices that it delegates routes to, each once. */
  readonly delegates: readonly string[];
  /** What is wrong with it in itself. */
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
}

type Force = Pick<
  VirtualServiceFacts,
  'role' | 'hosts' | 'visibility' | 'http' | 'tls' | 'tcp' | 'references' | 'destinations' | 'delegates'
>;

/** More fields that are not in force are counted only. */
const MAX_NOTES = 20;

const NO_FORCE = {
  hosts: [],
  visibility: [],
  http: [],
  tls: [],
  tcp: [],
  references: [],
  destinations: [],
  delegates: [],
} satisfies Omit<Force, 'role'>;

/** Reads a VirtualService of any shape. One that can't be right is a problem as a whole. */
export function readVirtualService(settings: MeshSettings, { metadata, spec }: VirtualService): VirtualServiceFacts {
  const ref: ObjectRef = { kind: VIRTUAL_SERVICE_KIND, namespace: metadata.namespace, name: metadata.name };
  const identity = {
    key: keyOf(metadata),
    ref,
    createdAt: creationTime(metadata),
    generation: metadata.generation ?? 0,
  };
  const { errors, spec: read } = judgeVirtualService(spec);
  const problems = invalidSpec(ref, errors);
  if (read === undefined) return { ...identity, role: 'invalid', ...NO_FORCE, problems, notes: [] };
  const notes = notesOn(unsupportedVirtualServiceFields(read));
  if (!isForSidecars(read.gateways)) return { ...identity, role: 'gateways', ...NO_FORCE, problems, notes };
  return { ...identity, ...readForce(settings, metadata.namespace, read), problems, notes };
}

function notesOn(fields: readonly FieldProblem[]): string[] {
  const rest = fields.length - MAX_NOTES;
  return [...unsupportedNotes(fields.slice(0, MAX_NOTES)), ...(rest > 0 ? [`So are ${rest} more fields.`] : [])];
}

function readForce(settings: MeshSettings, namespace: string, spec: VirtualServiceSpec): Force {
  const reader = new DestinationReader(settings, namespace);
  const hosts = (spec.hosts ?? []).map((host) => resolveHostname(settings, namespace, host));
  const http = (spec.http ?? []).flatMap(
    (route, index) => readHttpRule(reader, `spec.http[${index}]`, namespace, route) ?? [],
  );
  const tls = (spec.tls ?? []).flatMap(({ match, route = [] }, index) =>
    readConnectionRule(reader, `spec.tls[${index}]`, readMatches(match, readTlsMatch), route),
  );
  const tcp = (spec.tcp ?? []).flatMap(({ match, route = [] }, index) =>
    readConnectionRule(reader, `spec.tcp[${index}]`, readMatches(match, readTcpMatch), route),
  );
  const delegates = http.flatMap(({ action }) => (action.kind === 'delegate' ? [action.to] : []));
  return {
    role: hosts.length === 0 ? 'delegate' : 'routes',
    hosts: [...new Set(hosts)],
    visibility: readVisibility(spec.exportTo, namespace),
    http,
    tls,
    tcp,
    references: reader.references,
    destinations: [...new Set(reader.references.map(({ backend }) => backend.hostname))],
    delegates: [...new Set(delegates)],
  };
}

function readConnectionRule<Match>(
  reader: DestinationReader,
  field: string,
  matches: readonly Match[] | undefined,
  route: NonNullable<VirtualServiceSpec['tcp']>[number]['route'],
): ConnectionRuleFacts<Match>[] {
  return matches === undefined ? [] : [{ field, matches, backends: reader.readWeighted(field, route) }];
}
