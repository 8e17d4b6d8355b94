import { create } from '@bufbuild/protobuf';
import { durationMs } from '../../api/duration.ts';
import { readServiceName } from '../../api/extension-provider.ts';
import type { OpenTelemetryTracer, ZipkinTracer } from '../../api/telemetry-provider.ts';
import {
  type TypedExtensionConfig,
  TypedExtensionConfigSchema,
} from '../../generated/envoy/envoy/config/core/v3/extension_pb.js';
import { type HttpService, HttpServiceSchema } from '../../generated/envoy/envoy/config/core/v3/http_service_pb.js';
import { type Tracing_Http, Tracing_HttpSchema } from '../../generated/envoy/envoy/config/trace/v3/http_tracer_pb.js';
import { OpenTelemetryConfigSchema } from '../../generated/envoy/envoy/config/trace/v3/opentelemetry_pb.js';
import {
  ZipkinConfig_CollectorEndpointVersion,
  ZipkinConfig_TraceContextOption,
  ZipkinConfigSchema,
} from '../../generated/envoy/envoy/config/trace/v3/zipkin_pb.js';
import { ParentBasedSamplerConfigSchema } from '../../generated/envoy/envoy/extensions/tracers/opentelemetry/samplers/v3/parent_based_sampler_pb.js';
import { TraceIdRatioBasedSamplerConfigSchema } from '../../generated/envoy/envoy/extensions/tracers/opentelemetry/samplers/v3/trace_id_ratio_based_sampler_pb.js';
import type { TracingTo } from '../mesh/telemetry.ts';
import { milliseconds, pack } from './encoding.ts';
import { buildPercent } from './http-route-percent.ts';
import { buildResourceDetectors } from './trace-resource.ts';

/** Which service a tracer names. */
export interface TracedProxy {
  /** Known where a listener is one workload's own. */
  readonly service?: string;
  /** Its environment says it. */
  readonly namesItself: boolean;
}

/**
 * What makes spans and sends them, in the background: while nobody takes them they are dropped, and no request waits.
 * @param cluster over which they are sent
 */
export function buildTracer(tracing: TracingTo, cluster: string, proxy: TracedProxy): Tracing_Http | undefined {
  const { opentelemetry, zipkin } = tracing.provider;
  if (opentelemetry !== undefined) return buildOpenTelemetry(opentelemetry, cluster, proxy, tracing);
  return zipkin === undefined ? undefined : buildZipkin(zipkin, cluster);
}

function buildOpenTelemetry(
  settings: OpenTelemetryTracer,
  cluster: string,
  { service, namesItself }: TracedProxy,
  { byRequestId, sampling }: TracingTo,
) {
  const config = create(OpenTelemetryConfigSchema, {
    ...(settings.http === undefined
      ? { grpcService: { targetSpecifier: { case: 'envoyGrpc', value: { clusterName: cluster } } } }
      : { httpService: buildHttpService(settings, settings.http, cluster) }),
    ...(service === undefined ? {} : { serviceName: service }),
    resourceDetectors: buildResourceDetectors(namesItself),
    ...(byRequestId ? {} : { sampler: buildSampler(sampling) }),
  });
  return create(Tracing_HttpSchema, {
    name: 'envoy.tracers.opentelemetry',
    configType: { case: 'typedConfig', value: pack(OpenTelemetryConfigSchema, config) },
  });
}

/**
 * Who began a trace has decided whether it is sampled; of requests without one a share is. Without a sampler Envoy (1.40) would have each proxy draw lots
 * anew, and spans of a trace that is sampled would be missing.
 */
function buildSampler(percent: number): TypedExtensionConfig {
  const ratio = create(TraceIdRatioBasedSamplerConfigSchema, { samplingPercentage: buildPercent(percent) });
  const wrappedSampler = create(TypedExtensionConfigSchema, {
    name: 'envoy.tracers.opentelemetry.samplers.trace_id_ratio_based',
    typedConfig: pack(TraceIdRatioBasedSamplerConfigSchema, ratio),
  });
  return create(TypedExtensionConfigSchema, {
    name: 'envoy.tracers.opentelemetry.samplers.parent_based',
    typedConfig: pack(ParentBasedSamplerConfigSchema, create(ParentBasedSamplerConfigSchema, { wrappedSampler })),
  });
}

function buildHttpService(
  { service, port }: OpenTelemetryTracer,
  { path, timeout, headers }: NonNullable<OpenTelemetryTracer['http']>,
  cluster: string,
): HttpService {
  return create(HttpServiceSchema, {
    httpUri: {
      uri: `http://${readServiceName(service).hostname}:${port}${path}`,
      httpUpstreamType: { case: 'cluster', value: cluster },
      timeout: milliseconds(durationMs(timeout)),
    },
    requestHeadersToAdd: headers.map(({ name, value }) => ({ header: { key: name, value } })),
  });
}

/** Its spans name the service by the sidecar's bootstrap. Caller and server have a span each (Istio). */
function buildZipkin(settings: ZipkinTracer, cluster: string) {
  const { service, path, enable64bitTraceId, traceContextOption } = settings;
  const config = create(ZipkinConfigSchema, {
    collectorCluster: cluster,
    collectorEndpoint: path,
    collectorHostname: readServiceName(service).hostname,
    collectorEndpointVersion: ZipkinConfig_CollectorEndpointVersion.HTTP_JSON,
    traceId128bit: !enable64bitTraceId,
    sharedSpanContext: false,
    traceContextOption: ZipkinConfig_TraceContextOption[traceContextOption],
  });
  return create(Tracing_HttpSchema, {
    name: 'envoy.tracers.zipkin',
    configType: { case: 'typedConfig', value: pack(ZipkinConfigSchema, config) },
  });
}
