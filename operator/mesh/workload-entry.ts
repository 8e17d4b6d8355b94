import { TLS_MODE_ISTIO, TLS_MODE_LABEL } from '../../api/pod-names.ts';
import { WORKLOAD_ENTRY_KIND, type WorkloadEntry } from '../../api/workload-entry.ts';
import { judgeWorkloadEntry, unsupportedWorkloadEntryFields } from '../../api/workload-entry-judgement.ts';
import type { IngestionTarget } from './ingestion.ts';
import { creationTime, keyOf } from './mesh-object.ts';
import type { ObjectRef } from './object-ref.ts';
import type { Labels } from './selector.ts';
import type { Problem } from './snapshot.ts';
import { invalidSpec, unsupportedNotes } from './spec-problem.ts';
import { type EntryWorkload, readEntryWorkload } from './workload-entry-endpoint.ts';

/** What the mesh reads of a WorkloadEntry. */
export interface WorkloadEntryFacts {
  readonly key: string;
  readonly ref: ObjectRef;
  readonly createdAt: number;
  readonly generation: number;
  /** By which it is selected; empty when it is not in force. */
  readonly labels: Labels;
  /** Absent when there is nothing to connect to. */
  readonly workload?: EntryWorkload;
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
}

/** Reads a WorkloadEntry, of any shape. Its own labels go over those of its spec, as in Istio. */
export function readWorkloadEntry({ metadata, spec: json }: WorkloadEntry): WorkloadEntryFacts {
  const ref: ObjectRef = { kind: WORKLOAD_ENTRY_KIND, namespace: metadata.namespace, name: metadata.name };
  const generation = metadata.generation ?? 0;
  const identity = { key: keyOf(metadata), ref, createdAt: creationTime(metadata), generation };
  const { errors, spec } = judgeWorkloadEntry(json);
  const problems = invalidSpec(ref, errors);
  if (spec === undefined) return { ...identity, labels: {}, problems, notes: [] };
  const labels = { ...spec.labels, ...metadata.labels };
  const workload = readEntryWorkload(spec, labels);
  const notes = [...unsupportedNotes(unsupportedWorkloadEntryFields(spec)), ...noteMissingIdentity(workload, labels)];
  return { ...identity, labels, ...(workload === undefined ? {} : { workload }), problems, notes };
}

/** Its view, and the Services and ServiceEntries that select it. */
export function markWorkloadEntry({ tables, dirty }: IngestionTarget, { key, ref, labels }: WorkloadEntryFacts): void {
  dirty.workloadEntries.add(key);
  const { namespace } = ref;
  for (const entry of tables.entriesSelecting(namespace, labels)) dirty.markEntry(entry);
  for (const service of tables.servicesSelecting({ namespace, labels })) dirty.services.add(service.key);
}

function noteMissingIdentity(workload: EntryWorkload | undefined, labels: Labels): string[] {
  if (workload === undefined || workload.serviceAccount !== undefined) return [];
  if (!Object.hasOwn(labels, TLS_MODE_LABEL) || labels[TLS_MODE_LABEL] !== TLS_MODE_ISTIO) return [];
  return [
    `spec.serviceAccount is not set, so nobody can tell who should answer: it is called without mTLS, whatever the label ${TLS_MODE_LABEL} says.`,
  ];
}
