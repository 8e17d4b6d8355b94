import { findProvider } from '../../api/default-providers.ts';
import { type MetricTagValue, readMetricTag } from '../../api/metric-tag.ts';
import type { TelemetryMetrics, TelemetrySpec } from '../../api/telemetry.ts';
import { familiesOf, isAboutAll, type MetricFamily } from '../../api/telemetry-metrics.ts';
import type { MeshSettings } from './snapshot.ts';
import type { CallSide } from './telemetry.ts';
import { isAboutSide, namesOf } from './telemetry-providers.ts';

/** What becomes of a label: it is left out, or has a value. */
export type MetricTag = { readonly label: string } & Said;

/** How a metric differs, on one side of calls, from what sidecars show. */
export interface MetricOverride {
  readonly family: MetricFamily;
  readonly disabled: boolean;
  /** By label; none of one that is disabled. */
  readonly tags: readonly MetricTag[];
}

/** A metric that is counted once more, with what expressions come to. */
export interface TaggedMetric {
  readonly family: MetricFamily;
  /** Each once, in order. */
  readonly expressions: readonly string[];
}

/** Everybody's sidecar shows metrics, whoever is named; Istio's name for that. */
const EVERYBODYS = 'prometheus';

/**
 * What a workload's page shows of one side of calls: overrides in their order, the widest Telemetry first, each field as the last one says. Parts for
 * providers that a narrower Telemetry no longer names are left out. All as in Istio (`mergeMetrics`), where to disable all metrics is one switch for the side:
 * whatever is said next of a metric there, even of one that is not counted, brings all back, but for those that were disabled by name. What was said of
 * them before holds again then, and what else the disabling of all says does not.
 *
 * @param specs the widest first
 * @returns in order of their names, and only metrics that differ
 */
export function resolveMetrics(
  settings: MeshSettings,
  specs: readonly TelemetrySpec[],
  side: CallSide,
): MetricOverride[] {
  const found = new Map<MetricFamily, { disabled: boolean; tags: Map<string, MetricTag> }>();
  let allDisabled = false;
  for (const { overrides = [] } of partsInForce(settings, specs)) {
    for (const { match, disabled, tagOverrides = {} } of overrides) {
      if (!isAboutSide(match, side)) continue;
      allDisabled = disabled === true && isAboutAll(match);
      if (allDisabled) continue;
      const tags = Object.entries(tagOverrides).map(([label, said]): MetricTag => ({ label, ...readTag(said) }));
      for (const family of familiesOf(match)) {
        const one = found.get(family) ?? { disabled: false, tags: new Map<string, MetricTag>() };
        found.set(family, one);
        one.disabled = disabled ?? one.disabled;
        for (const tag of tags) one.tags.set(tag.label, tag);
      }
    }
  }
  if (allDisabled)
    return familiesOf(undefined)
      .toSorted()
      .map((family) => ({ family, disabled: true, tags: [] }));
  return [...found]
    .filter(([, { disabled, tags }]) => disabled || tags.size > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([family, { disabled, tags }]) => ({
      family,
      disabled,
      tags: disabled ? [] : [...tags.values()].sort(byLabel),
    }));
}

/** Those metrics that sidecars have to count apart, since only then it is known what an expression comes to. */
export function taggedMetrics(overrides: readonly MetricOverride[]): TaggedMetric[] {
  return overrides.flatMap(({ family, tags }) => {
    const expressions = new Set(tags.flatMap((tag) => ('expression' in tag ? [tag.expression] : [])));
    return expressions.size === 0 ? [] : [{ family, expressions: [...expressions].sort() }];
  });
}

/** Parts for providers that are told in the end; one that names none is for those of the part before. */
function partsInForce(settings: MeshSettings, specs: readonly TelemetrySpec[]): TelemetryMetrics[] {
  const parts = specs.flatMap(({ metrics = [] }) => metrics);
  const named = settings.defaultProviders?.metrics ?? [];
  const defaults = named.length > 0 ? named : [EVERYBODYS];
  const last = parts.map(namesOf).findLast((names) => names.length > 0) ?? defaults;
  const told = new Set(last.filter((name) => isProvider(settings, name)));
  let names = defaults;
  return parts.filter((part) => {
    if (namesOf(part).length > 0) names = [...namesOf(part)];
    return names.some((name) => told.has(name));
  });
}

function isProvider({ extensionProviders = [] }: MeshSettings, name: string): boolean {
  return typeof findProvider(extensionProviders, 'metrics', name) !== 'string';
}

type TagOverride = NonNullable<NonNullable<TelemetryMetrics['overrides']>[number]['tagOverrides']>[string];

type Said = { readonly removed: true } | MetricTagValue;

/** What was read, as all pods that a Telemetry is about ask for the same. */
const known = new WeakMap<TagOverride, Said>();

function readTag(override: TagOverride): Said {
  const said = known.get(override) ?? parseTag(override);
  known.set(override, said);
  return said;
}

function parseTag({ operation = 'UPSERT', value = '' }: TagOverride): Said {
  if (operation === 'REMOVE') return { removed: true };
  const read = readMetricTag(value);
  if ('problem' in read) throw new Error(`a Telemetry whose value ${read.problem} is not in force`);
  return read;
}

function byLabel(a: MetricTag, b: MetricTag): number {
  return a.label < b.label ? -1 : 1;
}
