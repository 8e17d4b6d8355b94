import type { TelemetrySpec } from '../../api/telemetry.ts';
import type { MeshSettings } from './snapshot.ts';
import type { MeshTables } from './tables.ts';
import type { AccessLogTo, CallSide } from './telemetry.ts';
import { findTold, isAboutSide, namesOf } from './telemetry-providers.ts';

/**
 * Whom requests are logged to, as Istio merges it: from the mesh's defaults on, each narrower Telemetry that names providers for a side sets who is told
 * there; of them, or of all when it names none, it disables some, or sets what is logged.
 * @param specs the widest first
 */
export function resolveAccessLogs(
  settings: MeshSettings,
  tables: MeshTables,
  specs: readonly TelemetrySpec[],
  side: CallSide,
): AccessLogTo[] {
  let told = new Map<string, string | undefined>();
  for (const name of settings.defaultProviders?.accessLogging ?? []) told.set(name, undefined);
  for (const { accessLogging = [] } of specs) {
    const parts = accessLogging.filter(({ match }) => isAboutSide(match, side));
    const named = parts.flatMap(namesOf);
    if (named.length > 0) told = new Map(named.map((name) => [name, told.get(name)]));
    for (const part of parts) {
      const names = namesOf(part).length > 0 ? namesOf(part) : [...told.keys()];
      for (const name of names) {
        if (part.disabled === true) told.delete(name);
        else if (told.has(name) && part.filter !== undefined) told.set(name, part.filter.expression);
      }
    }
  }
  const names = [...told.keys()].sort();
  return names.flatMap((name): AccessLogTo[] => {
    const found = findTold(settings, tables, 'accessLogging', name);
    const filter = told.get(name);
    return typeof found === 'string' ? [] : [{ ...found, ...(filter === undefined ? {} : { filter }) }];
  });
}
