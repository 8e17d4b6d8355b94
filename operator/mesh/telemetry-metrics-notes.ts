import { METRICS_PAGE_ANNOTATION } from '../../api/pod-names.ts';
import type { TelemetrySpec } from '../../api/telemetry.ts';
import { uncountedMetric } from '../../api/telemetry-metrics.ts';
import { EVERYWHERE } from './attachment.ts';
import { objectKey } from './object-ref.ts';
import type { PolicyTally } from './policy-tally.ts';
import type { MeshSettings } from './snapshot.ts';
import type { MeshTables } from './tables.ts';
import type { TelemetryFacts } from './telemetry-facts.ts';

/** What of a Telemetry's `metrics` has no effect on what is shown, and on whom else it has one. */
export function noteMetrics(settings: MeshSettings, { metrics = [] }: TelemetrySpec): string[] {
  const notes = metrics.flatMap(({ overrides = [], reportingInterval }, index) => [
    ...(reportingInterval === undefined
      ? []
      : [`spec.metrics[${index}].reportingInterval: is not in force: connections are counted as they open and close.`]),
    ...overrides.flatMap(({ match }, at) => {
      const uncounted = uncountedMetric(match);
      return uncounted === undefined
        ? []
        : [`spec.metrics[${index}].overrides[${at}].${uncounted.field}: ${uncounted.problem}.`];
    }),
  ]);
  if (settings.prometheus === undefined || !overrides(metrics)) return notes;
  const source =
    'spec.metrics: the mesh configuration has a prometheus, so graph and figures of the dashboard show what these pages do.';
  return [...notes, source];
}

/** A sidecar from before pages could differ, of those that a Telemetry with overrides is about. */
export function noteWholePages(tables: MeshTables, tally: PolicyTally, { ref, spec, scope }: TelemetryFacts): string[] {
  if (!overrides(spec?.metrics ?? [])) return [];
  const consulted = tally.consulted(objectKey(ref));
  for (const { uid } of tables.pods.select('wholePage', scope === EVERYWHERE ? '*' : ref.namespace)) {
    if (!consulted.has(uid)) continue;
    return [
      `spec.metrics: is not in force everywhere: sidecars of pods without the annotation ${METRICS_PAGE_ANNOTATION} are of an older version, and show all metrics until these pods are made anew.`,
    ];
  }
  return [];
}

function overrides(metrics: NonNullable<TelemetrySpec['metrics']>): boolean {
  return metrics.some((part) => (part.overrides ?? []).length > 0);
}
