import type { TelemetrySpec, TelemetryTracing } from '../../api/telemetry.ts';
import type { MeshSettings } from './snapshot.ts';
import type { MeshTables } from './tables.ts';
import type { CallSide, TracingTo } from './telemetry.ts';
import { findTold, isAboutSide } from './telemetry-providers.ts';

/** Percent of requests that begin a trace where nobody says; Istio's. */
const DEFAULT_SAMPLING = 1;

/**
 * Whom spans go to: of each field the narrowest Telemetry that says it, and of several parts for a side the last.
 * @param specs the widest first
 */
export function resolveTracing(
  settings: MeshSettings,
  tables: MeshTables,
  specs: readonly TelemetrySpec[],
  side: CallSide,
): TracingTo | undefined {
  const parts = specs.flatMap(({ tracing = [] }) => tracing.filter(({ match }) => isAboutSide(match, side)));
  const last = <Field extends keyof TelemetryTracing>(field: Field): TelemetryTracing[Field] | undefined =>
    parts.findLast((part) => part[field] !== undefined)?.[field];
  const named = parts.findLast(({ providers = [] }) => providers.length > 0)?.providers?.[0]?.name;
  const name = named ?? settings.defaultProviders?.tracing[0];
  if (name === undefined || last('disableSpanReporting') === true) return undefined;
  const found = findTold(settings, tables, 'tracing', name);
  if (typeof found === 'string') return undefined;
  return {
    ...found,
    sampling: last('randomSamplingPercentage') ?? DEFAULT_SAMPLING,
    customTags: last('customTags') ?? {},
    istioTags: last('enableIstioTags') ?? true,
    byRequestId: found.provider.opentelemetry === undefined || last('useRequestIdForTraceSampling') === true,
    ...(last('disableContextPropagation') === true ? { silent: true as const } : {}),
  };
}
