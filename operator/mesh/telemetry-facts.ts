import { readAim } from '../../api/policy-aim.ts';
import { TELEMETRY_KIND, type Telemetry, type TelemetrySpec } from '../../api/telemetry.ts';
import { judgeTelemetry } from '../../api/telemetry-judgement.ts';
import { type Attachable, attachBy, EVERYWHERE, isBlanket, podsAbout, readIdentity } from './attachment.ts';
import type { IngestionTarget } from './ingestion.ts';
import type { MeshSettings, Problem } from './snapshot.ts';
import { invalidSpec } from './spec-problem.ts';

/** What the mesh reads of a Telemetry. */
export interface TelemetryFacts extends Attachable {
  readonly createdAt: number;
  readonly generation: number;
  /** Absent: it can't be right, and is not in force. */
  readonly spec?: TelemetrySpec;
  /** What is wrong with it in itself. */
  readonly problems: readonly Problem[];
}

/** Reads a Telemetry, of any shape. One that can't be right got past admission; it is not in force. */
export function readTelemetry(settings: MeshSettings, { metadata, spec: json }: Telemetry): TelemetryFacts {
  const identity = readIdentity(settings, TELEMETRY_KIND, metadata);
  const { errors, spec } = judgeTelemetry(json);
  const aim = spec ?? readAim(json) ?? {};
  return {
    ...identity,
    ...attachBy(metadata.namespace, aim),
    ...(spec === undefined ? {} : { spec }),
    problems: invalidSpec(identity.ref, errors),
  };
}

/** Its view, those of the others that it may be in conflict with or say something for, and the pods that it may be about. */
export function markTelemetry({ tables, dirty }: IngestionTarget, facts: TelemetryFacts): void {
  dirty.telemetries.add(facts.key);
  const { scope, ref } = facts;
  const all = tables.telemetries;
  const others = scope === EVERYWHERE ? all.values() : all.select('namespace', ref.namespace);
  for (const { key } of others) dirty.telemetries.add(key);
  if (isMisplaced(facts)) return;
  for (const pod of podsAbout(tables, facts)) if (pod.injected) dirty.pods.add(pod.uid);
}

/** In the root namespace one that selects pods applies to nothing, as in Istio. */
export function isMisplaced(facts: TelemetryFacts): boolean {
  return facts.scope === EVERYWHERE && !isBlanket(facts);
}
