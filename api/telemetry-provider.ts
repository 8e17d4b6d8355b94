import { z } from 'zod';
import { accessLogFormatProblem } from './access-log-format.ts';
import { duration } from './duration.ts';
import { headerValueProblem } from './http-header-value.ts';
import { isHeaderName } from './http-headers.ts';
import { providerPath, providerPort, providerService } from './provider-service.ts';

const format = z.string().max(4096).superRefine(checkFormat);
const labels = z
  .record(z.string().max(128), format)
  .refine((map) => Object.keys(map).length <= 100, 'must have at most 100 labels');

/** A text, or labels of one line of JSON each. */
const logFormat = z
  .strictObject({ text: format.optional(), labels: labels.optional() })
  .refine(({ text, labels }) => text === undefined || labels === undefined, 'must have one of text and labels');

const fileAccessLog = z.strictObject({
  /** The sidecar has no file of its own that it may write. */
  path: z.enum(['/dev/stdout', '/dev/stderr'], 'must be /dev/stdout or /dev/stderr: a sidecar may write nowhere else'),
  /** Absent: Istio's line of text. */
  logFormat: logFormat.optional(),
  /** Leaves labels out that have no value, and writes nothing in place of `-`. */
  omitEmptyValues: z.boolean().default(false),
});

const otelAccessLog = z.strictObject({
  service: providerService,
  port: providerPort,
  /** The logs' name. */
  logName: z.string().min(1).max(128).default('otel_envoy_accesslog'),
  /** Here both may be given: the body, and attributes. */
  logFormat: z.strictObject({ text: format.optional(), labels: labels.optional() }).optional(),
});

/** Longest tag with a request's URL, in characters. */
const maxTagLength = z.int().min(1).max(4096).default(256);

const httpExport = z.strictObject({
  path: providerPath.default('/v1/traces'),
  timeout: duration.default('10s'),
  headers: z
    .array(
      z.strictObject({
        name: z.string().max(256).refine(isHeaderName, 'must be the name of a header'),
        value: z.string().max(4096).superRefine(checkHeader),
      }),
    )
    .max(20)
    .default([]),
});

const openTelemetry = z.strictObject({
  service: providerService,
  port: providerPort,
  maxTagLength,
  /** Absent: by gRPC. */
  http: httpExport.optional(),
});

const zipkin = z.strictObject({
  service: providerService,
  port: providerPort,
  maxTagLength,
  /** Trace IDs of 64 bits. */
  enable64bitTraceId: z.boolean().default(false),
  path: providerPath.default('/api/v2/spans'),
  /** Which headers carry a trace: B3, or W3C's besides. */
  traceContextOption: z.enum(['USE_B3', 'USE_B3_WITH_W3C_PROPAGATION']).default('USE_B3'),
});

/** Providers that Telemetry resources name, by field of the extension provider. */
export const telemetryProviders = {
  envoyFileAccessLog: fileAccessLog.optional(),
  envoyOtelAls: otelAccessLog.optional(),
  opentelemetry: openTelemetry.optional(),
  zipkin: zipkin.optional(),
  prometheus: z.strictObject({}).optional(),
} as const;

export type FileAccessLog = z.output<typeof fileAccessLog>;
export type OtelAccessLog = z.output<typeof otelAccessLog>;
export type OpenTelemetryTracer = z.output<typeof openTelemetry>;
export type ZipkinTracer = z.output<typeof zipkin>;

function checkFormat(text: string, context: z.RefinementCtx): void {
  const message = accessLogFormatProblem(text);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
}

function checkHeader(text: string, context: z.RefinementCtx): void {
  const message = headerValueProblem(text);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
}
