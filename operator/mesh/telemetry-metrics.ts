import type { TelemetrySpec } from '../../api/telemetry.ts';
import type { CallSide, MetricOverride } from './telemetry.ts';
import { isAboutSide } from './telemetry-providers.ts';

/**
 * What is counted in another way than by default on one side: all that is said, the widest first, for later ones win metric by metric.
 * @param specs the widest first
 */
export function resolveMetrics(specs: readonly TelemetrySpec[], side: CallSide): MetricOverride[] {
  const overrides = specs.flatMap(({ metrics = [] }) => metrics.flatMap((part) => part.overrides ?? []));
  return overrides.filter(({ match }) => isAboutSide(match, side));
}
