import { EVERYWHERE } from './attachment.ts';
import { byAge } from './mesh-object.ts';
import { objectKey } from './object-ref.ts';
import type { PodFacts } from './pod.ts';
import type { TalliedDecision } from './policy-tally.ts';
import { labelTerms, matchSelector } from './selector.ts';
import type { MeshSettings } from './snapshot.ts';
import type { MeshTables } from './tables.ts';
import { isBlanket, type TelemetryFacts } from './telemetry-facts.ts';

/** A Telemetry that is in force. */
export type ChosenTelemetry = TelemetryFacts & Required<Pick<TelemetryFacts, 'spec'>>;

/** The one that speaks for all pods of a scope, a namespace or `*`: the oldest. */
export function blanketTelemetry(tables: MeshTables, scope: string): ChosenTelemetry | undefined {
  return [...tables.telemetries.select('blanket', scope)].filter(isRight).sort(byAge)[0];
}

/** Those that select a pod, by labels or by a Service of it, the oldest first. In the root namespace a selector applies to nothing, as in Istio. */
export function selectingTelemetries(
  { rootNamespace }: MeshSettings,
  tables: MeshTables,
  pod: PodFacts,
): ChosenTelemetry[] {
  if (pod.namespace === rootNamespace) return [];
  const found = new Set<ChosenTelemetry>();
  const add = (facts: TelemetryFacts): void => {
    if (isRight(facts) && !isBlanket(facts)) found.add(facts);
  };
  for (const term of labelTerms(pod.namespace, pod.labels)) {
    for (const one of tables.telemetries.select('term', term)) if (matchSelector(one.selector, pod.labels)) add(one);
  }
  for (const { key } of tables.servicesSelecting(pod))
    for (const one of tables.telemetries.select('target', key)) add(one);
  return [...found].sort(byAge);
}

/** Those that decide for a pod, the widest first: the mesh's, its namespace's, and the oldest that selects it. */
export function chooseTelemetry(settings: MeshSettings, tables: MeshTables, pod: PodFacts): ChosenTelemetry[] {
  const [own] = selectingTelemetries(settings, tables, pod);
  const namespace = pod.namespace === settings.rootNamespace ? undefined : blanketTelemetry(tables, pod.namespace);
  const all = [blanketTelemetry(tables, EVERYWHERE), namespace, own];
  return all.filter((one) => one !== undefined);
}

/** How they come out for a pod; undefined where none is about it. */
export function decideTelemetry(
  settings: MeshSettings,
  tables: MeshTables,
  pod: PodFacts,
): TalliedDecision | undefined {
  const chosen = chooseTelemetry(settings, tables, pod);
  if (chosen.length === 0) return undefined;
  const [winner, ...losers] = selectingTelemetries(settings, tables, pod).map(({ ref }) => objectKey(ref));
  return {
    effective: { policies: chosen.map(({ ref }) => ref) },
    selecting: [...chosen.map(({ ref }) => objectKey(ref)), ...losers],
    losers,
    ...(winner === undefined ? {} : { winner }),
  };
}

function isRight(facts: TelemetryFacts): facts is ChosenTelemetry {
  return facts.spec !== undefined;
}
