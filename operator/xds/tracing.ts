import { create } from '@bufbuild/protobuf';
import type { TelemetryTag } from '../../api/telemetry.ts';
import {
  type HttpConnectionManager,
  HttpConnectionManager_TracingSchema,
} from '../../generated/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { type CustomTag, CustomTagSchema } from '../../generated/envoy/envoy/type/tracing/v3/custom_tag_pb.js';
import type { TracingTo } from '../mesh/telemetry.ts';
import { toldCluster } from './told-clusters.ts';
import { buildTracer, type TracedProxy } from './tracers.ts';

/** What spans of one side tell of its proxy besides the service. */
export interface TracedSide extends TracedProxy {
  readonly namespace?: string;
  /** Of the pod; '' where it has none. */
  readonly revision?: string;
}

/** The part of an HTTP connection manager that makes spans. */
export type ManagerTracing = Pick<HttpConnectionManager, 'tracing'>;

/** @returns undefined where no spans are made */
export function buildTracing(tracing: TracingTo | undefined, side: TracedSide): ManagerTracing | undefined {
  const cluster = tracing && toldCluster(tracing);
  const provider = cluster === undefined ? undefined : tracing && buildTracer(tracing, cluster, side);
  const { opentelemetry, zipkin } = tracing?.provider ?? {};
  const told = opentelemetry ?? zipkin;
  if (tracing === undefined || provider === undefined || told === undefined) return undefined;
  const built = create(HttpConnectionManager_TracingSchema, {
    clientSampling: { value: 100 },
    // Else it is the tracer that draws lots.
    randomSampling: { value: tracing.byRequestId ? tracing.sampling : 100 },
    overallSampling: { value: 100 },
    maxPathTagLength: told.maxTagLength,
    customTags: [...ownTags(tracing, side), ...customTags(tracing)],
    noContextPropagation: tracing.silent ?? false,
    provider,
  });
  return { tracing: built };
}

/** What everybody's spans have: the route, the revision that answered, and, unless they are unwanted, Istio's. */
function ownTags({ istioTags }: TracingTo, { namespace, service, revision = '' }: TracedSide): CustomTag[] {
  const tags: CustomTag[] = [formatted('heddle.route', '%ROUTE_NAME%')];
  if (revision !== '') tags.push(literal('heddle.revision', revision));
  if (!istioTags) return tags;
  if (service !== undefined) tags.push(literal('istio.canonical_service', service));
  tags.push(
    namespace === undefined
      ? create(CustomTagSchema, {
          tag: 'istio.namespace',
          type: { case: 'environment', value: { name: 'POD_NAMESPACE' } },
        })
      : literal('istio.namespace', namespace),
  );
  return tags;
}

function customTags({ customTags: tags }: TracingTo): CustomTag[] {
  const sorted = Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.flatMap(([tag, value]) => {
    const type = tagType(value);
    return type === undefined ? [] : [create(CustomTagSchema, { tag, type })];
  });
}

function tagType({ literal: text, environment, header, formatter }: TelemetryTag) {
  if (text !== undefined) return { case: 'literal', value: text } as const;
  if (formatter !== undefined) return { case: 'value', value: formatter.value } as const;
  const named = environment ?? header;
  if (named === undefined) return undefined;
  const value = { name: named.name, defaultValue: named.defaultValue ?? '' };
  return environment === undefined
    ? ({ case: 'requestHeader', value } as const)
    : ({ case: 'environment', value } as const);
}

function literal(tag: string, value: string): CustomTag {
  return create(CustomTagSchema, { tag, type: { case: 'literal', value: { value } } });
}

function formatted(tag: string, value: string): CustomTag {
  return create(CustomTagSchema, { tag, type: { case: 'value', value } });
}
