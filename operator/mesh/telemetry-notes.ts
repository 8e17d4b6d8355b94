import { findProvider, type TelemetrySection } from '../../api/default-providers.ts';
import type { TelemetrySpec } from '../../api/telemetry.ts';
import type { MeshSettings } from './snapshot.ts';
import type { MeshTables } from './tables.ts';
import { noteMetrics } from './telemetry-metrics-notes.ts';
import { findTold, namesOf } from './telemetry-providers.ts';

/**
 * What is to be said of a Telemetry that is right: whom it names and who can't be told, and what is not in force.
 * @param specs the wider ones, who say what it leaves out, and its own last
 */
export function noteTelemetry(settings: MeshSettings, tables: MeshTables, specs: readonly TelemetrySpec[]): string[] {
  const { tracing = [], accessLogging = [], metrics = [] } = specs.at(-1) ?? {};
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
  const nobody = [
    ...(tracing.every((part) => part.disableSpanReporting === true) ? [] : noteNobody(settings, 'tracing', specs)),
    ...(accessLogging.every((part) => part.disabled === true) ? [] : noteNobody(settings, 'accessLogging', specs)),
  ];
  return [...notes, ...nobody, ...noteRequestIds(settings, specs), ...noteMetrics(settings, specs.at(-1) ?? {})];
}

/** The name that is said last, by the narrowest that names any; undefined: nobody is told. */
function lastNamed(
  { defaultProviders }: MeshSettings,
  section: 'tracing' | 'accessLogging',
  specs: readonly TelemetrySpec[],
): string | undefined {
  const named = specs.flatMap((spec) => spec[section] ?? []).flatMap(namesOf);
  return named.at(-1) ?? defaultProviders?.[section][0];
}

function noteNobody(
  settings: MeshSettings,
  section: 'tracing' | 'accessLogging',
  specs: readonly TelemetrySpec[],
): string[] {
  if (lastNamed(settings, section, specs) !== undefined) return [];
  return [
    `spec.${section}: names no provider, no wider Telemetry does, and the mesh configuration has none in defaultProviders.${section}.`,
  ];
}

/** Without the request's ID Envoy would have Zipkin trace all that comes. */
function noteRequestIds(settings: MeshSettings, specs: readonly TelemetrySpec[]): string[] {
  return (specs.at(-1)?.tracing ?? []).flatMap((part, index) => {
    const name = namesOf(part)[0] ?? lastNamed(settings, 'tracing', specs) ?? '';
    const provider = findProvider(settings.extensionProviders ?? [], 'tracing', name);
    if (part.useRequestIdForTraceSampling !== false || typeof provider === 'string' || !provider.zipkin) return [];
    return [
      `spec.tracing[${index}].useRequestIdForTraceSampling: is not in force with Zipkin, where it is always true.`,
    ];
  });
}
