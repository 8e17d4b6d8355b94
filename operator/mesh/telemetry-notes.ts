import { findProvider, type TelemetrySection } from '../../api/default-providers.ts';
import type { TelemetrySpec } from '../../api/telemetry.ts';
import type { MeshSettings } from './snapshot.ts';
import type { MeshTables } from './tables.ts';
import { findTold, namesOf } from './telemetry-providers.ts';

/** What is to be said of a Telemetry that is right: whom it names and who can't be told, and what is not in force. */
export function noteTelemetry(settings: MeshSettings, tables: MeshTables, spec: TelemetrySpec): string[] {
  const { tracing = [], accessLogging = [], metrics = [] } = spec;
  const sections: readonly [TelemetrySection, readonly Parameters<typeof namesOf>[0][]][] = [
    ['tracing', tracing],
    ['accessLogging', accessLogging],
    ['metrics', metrics],
  ];
  const notes = sections.flatMap(([section, parts]) =>
    parts.flatMap((part, index) =>
      namesOf(part).flatMap((name) => {
        const found = findTold(settings, tables, section, name);
        return typeof found === 'string' ? [`spec.${section}[${index}].providers: nothing is told, as ${found}.`] : [];
      }),
    ),
  );
  const nobody = sections.flatMap(([section, parts]) => {
    if (section === 'metrics' || parts.length === 0 || parts.some((part) => namesOf(part).length > 0)) return [];
    if ((settings.defaultProviders?.[section] ?? []).length > 0) return [];
    return [`spec.${section}: names no provider, and the mesh configuration has none in defaultProviders.${section}.`];
  });
  return [...notes, ...nobody, ...noteRequestIds(settings, spec), ...noteMetrics(metrics.length > 0)];
}

/** Without the request's ID Envoy would have Zipkin trace all that comes. */
function noteRequestIds(
  { extensionProviders, defaultProviders }: MeshSettings,
  { tracing = [] }: TelemetrySpec,
): string[] {
  return tracing.flatMap((part, index) => {
    const name = namesOf(part)[0] ?? defaultProviders?.tracing[0] ?? '';
    const provider = findProvider(extensionProviders ?? [], 'tracing', name);
    if (part.useRequestIdForTraceSampling !== false || typeof provider === 'string' || !provider.zipkin) return [];
    return [
      `spec.tracing[${index}].useRequestIdForTraceSampling: is not in force with Zipkin, where it is always true.`,
    ];
  });
}

/** What of `metrics` does not change what is counted yet. */
function noteMetrics(isThere: boolean): string[] {
  return isThere ? ['spec.metrics: is not in force yet; all metrics are counted with all labels.'] : [];
}
