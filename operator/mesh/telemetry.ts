import type { DefaultProviders } from '../../api/default-providers.ts';
import type { ExtensionProvider } from '../../api/extension-provider.ts';
import type { TelemetrySpec, TelemetryTag } from '../../api/telemetry.ts';
import { canonicalName } from './canonical-name.ts';
import { digestOf } from './digest.ts';
import type { ObjectRef } from './object-ref.ts';
import type { PodFacts } from './pod.ts';
import type { MeshSettings, ServiceKey } from './snapshot.ts';
import type { MeshTables } from './tables.ts';
import { resolveAccessLogs } from './telemetry-access-logs.ts';
import { chooseTelemetry } from './telemetry-choice.ts';
import { type MetricOverride, resolveMetrics, type TaggedMetric, taggedMetrics } from './telemetry-metrics.ts';
import { isToldItself } from './telemetry-providers.ts';
import { resolveTracing } from './telemetry-tracing.ts';

/** On which side of a call. */
export type CallSide = 'CLIENT' | 'SERVER';

/** Somebody who is told, of the mesh's settings. */
export interface Told {
  readonly provider: ExtensionProvider;
  /** Where; absent: nowhere but the sidecar's output. */
  readonly service?: ServiceKey;
}

/** Whom requests are logged to. */
export interface AccessLogTo extends Told {
  /** An expression (CEL) over requests that are; absent: all. */
  readonly filter?: string;
}

/** Whom spans go to, and of what. */
export interface TracingTo extends Told {
  /** Percent of requests without a trace that begin one. */
  readonly sampling: number;
  readonly customTags: Readonly<Record<string, TelemetryTag>>;
  readonly istioTags: boolean;
  /** The request's ID decides over sampling; else who began the trace, and without a trace a lot. */
  readonly byRequestId: boolean;
  /** Requests are not told of the trace. */
  readonly silent?: true;
}

/** What is told of one side of calls. */
export interface SideTelemetry {
  /** In order of the providers' names. */
  readonly accessLogs: readonly AccessLogTo[];
  readonly tracing?: TracingTo;
  /** What is counted apart, on top of what is counted of everybody; absent: nothing. */
  readonly tagged?: readonly TaggedMetric[];
  /** Equal for equal content. */
  readonly digest: string;
}

/** What is told of a workload's requests. */
export interface WorkloadTelemetry {
  readonly client: SideTelemetry;
  readonly server: SideTelemetry;
  /** Its canonical service, as spans name it. */
  readonly service: string;
  /** Its revision, where spans of its server side tell it. */
  readonly revision: string;
  /** Its sidecar's environment says which service it is (`OTEL_RESOURCE_ATTRIBUTES`), for listeners that proxies share. */
  readonly namesItself: boolean;
  /** How its page of metrics differs from everybody's; absent: not at all. */
  readonly metrics?: { readonly client: readonly MetricOverride[]; readonly server: readonly MetricOverride[] };
  /** The Telemetry resources that decide, for status. */
  readonly policies: readonly ObjectRef[];
}

const NO_DEFAULTS: DefaultProviders = { tracing: [], metrics: [], accessLogging: [] };

/** What is told of a pod's requests; undefined: nothing but the metrics that everybody has. */
export function findTelemetry(
  settings: MeshSettings,
  tables: MeshTables,
  pod: PodFacts,
): WorkloadTelemetry | undefined {
  const chosen = chooseTelemetry(tables, pod);
  const defaults = settings.defaultProviders ?? NO_DEFAULTS;
  if (chosen.length === 0 && defaults.tracing.length + defaults.accessLogging.length === 0) return undefined;
  const specs = chosen.map(({ spec }) => spec);
  const metrics = overridesOf(settings, specs, pod);
  const side = (which: CallSide): SideTelemetry => {
    const isOthers = (one: Told): boolean => which === 'CLIENT' || !isToldItself(settings, tables, one, pod);
    const traced = resolveTracing(settings, tables, specs, which);
    const tracing = traced !== undefined && isOthers(traced) ? traced : undefined;
    const tagged = taggedMetrics(which === 'CLIENT' ? metrics.client : metrics.server);
    const told = {
      accessLogs: resolveAccessLogs(settings, tables, specs, which).filter(isOthers),
      ...(tracing === undefined ? {} : { tracing }),
      ...(tagged.length === 0 ? {} : { tagged }),
    };
    return { ...told, digest: digestOf(JSON.stringify(told)) };
  };
  const [client, server] = [side('CLIENT'), side('SERVER')];
  return {
    client,
    server,
    service: canonicalName(pod),
    // Pods of all revisions share their inbound side, where nothing tells them apart.
    revision: server.tracing === undefined ? '' : pod.revision,
    namesItself: pod.namesItself,
    ...(metrics.client.length + metrics.server.length === 0 ? {} : { metrics }),
    policies: chosen.map(({ ref }) => ref),
  };
}

/** None where the sidecar is of a time when its page was everybody's. */
function overridesOf(settings: MeshSettings, specs: readonly TelemetrySpec[], pod: PodFacts) {
  const of = (side: CallSide) => (pod.overridesMetrics ? resolveMetrics(settings, specs, side) : []);
  return { client: of('CLIENT'), server: of('SERVER') };
}
