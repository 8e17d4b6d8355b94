import {
  DESTINATION_RULE_KIND,
  type DestinationRule,
  type DestinationRuleSpec,
  judgeDestinationRule,
  unsupportedDestinationRuleFields,
} from '../../api/destination-rule.ts';
import type { DestinationPolicy, SubsetPolicy } from './destination-policy.ts';
import { resolveHostname } from './hostname.ts';
import type { IngestionTarget } from './ingestion.ts';
import { creationTime, keyOf } from './mesh-object.ts';
import { type ObjectRef, objectKey } from './object-ref.ts';
import type { Labels } from './selector.ts';
import type { Hostname, MeshSettings, Problem } from './snapshot.ts';
import { invalidSpec, unsupportedNotes } from './spec-problem.ts';
import { readVisibility, type Visibility } from './visibility.ts';

/** What the mesh reads of a DestinationRule. One that is invalid has no host, no subsets and no policy. */
export interface DestinationRuleFacts {
  readonly key: string;
  readonly ref: ObjectRef;
  readonly createdAt: number;
  readonly generation: number;
  /** Fully qualified. */
  readonly host: Hostname;
  /** Of a rule with a selector its own namespace alone, for there selectors end. */
  readonly visibility: Visibility;
  readonly subsetNames: readonly string[];
  /** Labels of the clients it is for; empty: all. */
  readonly clients: Labels;
  /** Absent when it is not in force. */
  readonly policy?: DestinationPolicy;
  /** What is wrong with it in itself. */
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
}

/** Reads a DestinationRule. One whose spec can't be right is a problem, and nothing else. */
export function readDestinationRule(settings: MeshSettings, object: DestinationRule): DestinationRuleFacts {
  const { metadata } = object;
  const ref: ObjectRef = { kind: DESTINATION_RULE_KIND, namespace: metadata.namespace, name: metadata.name };
  const created = { createdAt: creationTime(metadata), generation: metadata.generation ?? 0 };
  const facts = { key: keyOf(metadata), ref, ...created };
  const { errors, spec } = judgeDestinationRule(object.spec);
  if (spec === undefined) {
    const problems = invalidSpec(ref, errors);
    return { ...facts, host: '', visibility: [], subsetNames: [], clients: {}, problems, notes: [] };
  }
  const policy = readPolicy(settings, ref, created.createdAt, spec);
  const { host, visibility, clients, subsets } = policy;
  const notes = unsupportedNotes(unsupportedDestinationRuleFields(spec));
  return {
    ...facts,
    host,
    visibility,
    subsetNames: subsets.map(({ name }) => name),
    clients,
    policy,
    problems: [],
    notes,
  };
}

/** The rule, those of its namespace for the same host, and, for its subsets, who routes to the host. */
export function markDestinationRule(
  { tables, dirty }: IngestionTarget,
  { key, ref, host }: DestinationRuleFacts,
): void {
  dirty.destinationRules.add(key);
  if (host === '') return;
  dirty.hostnames.add(host);
  for (const sibling of tables.destinationRules.select('host', host)) {
    if (sibling.ref.namespace === ref.namespace) dirty.destinationRules.add(sibling.key);
  }
}

function readPolicy(
  settings: MeshSettings,
  ref: ObjectRef,
  createdAt: number,
  { host, exportTo, workloadSelector, trafficPolicy, subsets = [] }: DestinationRuleSpec,
): DestinationPolicy {
  const clients = workloadSelector?.matchLabels ?? {};
  const selective = Object.keys(clients).length > 0;
  return {
    object: ref,
    key: objectKey(ref),
    createdAt,
    host: resolveHostname(settings, ref.namespace, host),
    visibility: selective ? [ref.namespace] : readVisibility(exportTo, ref.namespace),
    clients,
    ...(trafficPolicy === undefined ? {} : { policy: trafficPolicy }),
    subsets: subsets.map(readSubset),
  };
}

function readSubset({
  name,
  labels = {},
  trafficPolicy,
}: NonNullable<DestinationRuleSpec['subsets']>[number]): SubsetPolicy {
  return { name, labels, ...(trafficPolicy === undefined ? {} : { policy: trafficPolicy }) };
}
