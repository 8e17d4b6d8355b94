import { EVERYWHERE, findAttached, isBlanket } from './attachment.ts';
import { byAge } from './mesh-object.ts';
import { objectKey } from './object-ref.ts';
import type { PodFacts } from './pod.ts';
import type { TalliedDecision } from './policy-tally.ts';
import type { MeshTables } from './tables.ts';
import { isMisplaced, type TelemetryFacts } from './telemetry-facts.ts';

/** A Telemetry that is in force. */
type ChosenTelemetry = TelemetryFacts & Required<Pick<TelemetryFacts, 'spec'>>;

/** The one that speaks for all pods of a scope, a namespace or `*`: the oldest. */
export function blanketTelemetry(tables: MeshTables, scope: string): ChosenTelemetry | undefined {
  return [...tables.telemetries.select('blanket', scope)].filter(isRight).sort(byAge)[0];
}

/** Those that select a pod, by labels or by a Service of it, the oldest first. */
function selectingTelemetries(tables: MeshTables, pod: PodFacts): ChosenTelemetry[] {
  const about = findAttached(tables, tables.telemetries, pod).map(({ facts }) => facts);
  return about
    .filter(isRight)
    .filter((facts) => !isBlanket(facts) && !isMisplaced(facts))
    .sort(byAge);
}

/** Those that decide for a pod, the widest first: the mesh's, its namespace's, and the oldest that selects it. */
export function chooseTelemetry(
  tables: MeshTables,
  pod: PodFacts,
  [own] = selectingTelemetries(tables, pod),
): ChosenTelemetry[] {
  const all = [blanketTelemetry(tables, EVERYWHERE), blanketTelemetry(tables, pod.namespace), own];
  return all.filter((one) => one !== undefined);
}

/** Those in force that speak for more than one does, the widest first: they say what it leaves out. */
export function widerTelemetries(tables: MeshTables, facts: TelemetryFacts): ChosenTelemetry[] {
  const scopes = facts.scope === EVERYWHERE ? [] : isBlanket(facts) ? [EVERYWHERE] : [EVERYWHERE, facts.scope];
  return scopes.flatMap((scope) => blanketTelemetry(tables, scope) ?? []);
}

/** How they come out for a pod, and whether its page follows them; undefined where none is about it. */
export function decideTelemetry(
  tables: MeshTables,
  pod: PodFacts,
): (TalliedDecision & Pick<PodFacts, 'overridesMetrics'>) | undefined {
  const own = selectingTelemetries(tables, pod);
  const chosen = chooseTelemetry(tables, pod, own);
  if (chosen.length === 0) return undefined;
  const [winner, ...losers] = own.map(({ ref }) => objectKey(ref));
  return {
    effective: { policies: chosen.map(({ ref }) => ref) },
    selecting: [...chosen.map(({ ref }) => objectKey(ref)), ...losers],
    losers,
    overridesMetrics: pod.overridesMetrics,
    ...(winner === undefined ? {} : { winner }),
  };
}

function isRight(facts: TelemetryFacts): facts is ChosenTelemetry {
  return facts.spec !== undefined;
}
