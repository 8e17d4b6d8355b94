import { z } from 'zod';
import type { PolicyStatus } from './peer-authentication.ts';
import { policyAim } from './policy-aim.ts';

export const TELEMETRY_KIND = 'Telemetry';
export const TELEMETRY_GROUP = 'telemetry.istio.io';
/** Both served, with one schema; the first is stored. */
export const TELEMETRY_VERSIONS = ['v1', 'v1alpha1'] as const;

/** On which side of a call: that of the caller, of the server, or both. */
const workloadMode = z.enum(['CLIENT_AND_SERVER', 'CLIENT', 'SERVER']);
export type WorkloadMode = z.infer<typeof workloadMode>;

const mode = workloadMode
  .optional()
  .describe('CLIENT: requests that the pods make. SERVER: those that they take. Default: both.');
const match = z.object({ mode }).optional().describe('Which side of calls it is about.');

const providers = z
  .array(z.object({ name: z.string().describe('Name of a provider of the mesh configuration.') }))
  .optional()
  .describe(
    'Who is told. Without any: whoever the wider scope says, in the end defaultProviders of the mesh configuration.',
  );

const tag = z.object({
  literal: z
    .object({ value: z.string().describe('The value.') })
    .optional()
    .describe('The same for all spans.'),
  environment: z
    .object({
      name: z.string().describe("Name of a variable of the sidecar's environment."),
      defaultValue: z.string().optional().describe('Where there is no such variable. Without one: no tag.'),
    })
    .optional()
    .describe("From the sidecar's environment."),
  header: z
    .object({
      name: z.string().describe('Name of a header of the request.'),
      defaultValue: z.string().optional().describe('Where the request has none. Without one: no tag.'),
    })
    .optional()
    .describe('From a header of the request.'),
  formatter: z
    .object({ value: z.string().describe('Text with commands such as %RESPONSE_FLAGS%.') })
    .optional()
    .describe("In the format of Envoy's access logs."),
});

const tracing = z.object({
  match,
  providers,
  randomSamplingPercentage: z
    .number()
    .optional()
    .describe('Percent of requests without a trace that begin one. Default: of the wider scope, in the end 1.'),
  disableSpanReporting: z
    .boolean()
    .optional()
    .describe('No spans are made; what a request carries of a trace goes on unaltered.'),
  disableContextPropagation: z
    .boolean()
    .optional()
    .describe('Spans are made, and requests are not told of them: who gets one begins a trace of its own.'),
  customTags: z
    .record(z.string(), tag)
    .optional()
    .describe('Tags of spans by name; they replace those of the wider scope.'),
  enableIstioTags: z
    .boolean()
    .optional()
    .describe("Whether spans have Istio's tags (istio.namespace, ...). Default true."),
  useRequestIdForTraceSampling: z
    .boolean()
    .optional()
    .describe(
      'Whether x-request-id decides which requests are sampled. Default: not with opentelemetry, where who began a trace has decided; with zipkin always.',
    ),
});

const metricSelector = z.object({
  metric: z
    .enum([
      'ALL_METRICS',
      'REQUEST_COUNT',
      'REQUEST_DURATION',
      'REQUEST_SIZE',
      'RESPONSE_SIZE',
      'TCP_OPENED_CONNECTIONS',
      'TCP_CLOSED_CONNECTIONS',
      'TCP_SENT_BYTES',
      'TCP_RECEIVED_BYTES',
      'GRPC_REQUEST_MESSAGES',
      'GRPC_RESPONSE_MESSAGES',
    ])
    .optional()
    .describe('One of the standard metrics. Default: all. GRPC_*: is not in force, as nobody counts these.'),
  customMetric: z
    .string()
    .optional()
    .describe('A standard metric by its name in Prometheus, such as requests_total. Sidecars have no others.'),
  mode,
});

const override = z.object({
  match: metricSelector.optional().describe('Metrics it is about.'),
  disabled: z
    .boolean()
    .optional()
    .describe(
      "They are not on the sidecar's page of metrics. Canaries, dashboard and command line know them all the same. To disable all at once holds until the next override of any of them, which brings back what was not disabled by name.",
    ),
  tagOverrides: z
    .record(
      z.string(),
      z.object({
        operation: z.enum(['UPSERT', 'REMOVE']).optional().describe('Default UPSERT.'),
        value: z
          .string()
          .optional()
          .describe(
            'Of UPSERT: an expression (CEL) for the value: a constant in quotation marks, or of the request, as request.method. Other than constants, it is counted apart, on top.',
          ),
      }),
    )
    .optional()
    .describe('Labels that are written, or left out; series that are alike then are added up.'),
});

const metrics = z.object({
  providers,
  overrides: z
    .array(override)
    .optional()
    .describe('In this order, after those of the wider scopes; of each field the last one wins.'),
  reportingInterval: z
    .string()
    .optional()
    .describe('Is not in force: connections of TCP are counted as they open and close.'),
});

const accessLogging = z.object({
  match,
  providers,
  disabled: z.boolean().optional().describe('Nothing is logged to these providers.'),
  filter: z
    .object({ expression: z.string().optional().describe('An expression (CEL); what it is true of is logged.') })
    .optional()
    .describe('Which requests are logged. Without one: all.'),
});

/** `telemetry.istio.io` Telemetry, field for field. */
export const telemetrySpec = z.object({
  ...policyAim,
  tracing: z.array(tracing).max(16).optional().describe('Where spans of requests go, and which.'),
  metrics: z.array(metrics).max(16).optional().describe('What is counted, and by which labels.'),
  accessLogging: z.array(accessLogging).max(16).optional().describe('Where requests are logged, and which.'),
});

export type TelemetrySpec = z.infer<typeof telemetrySpec>;
export type TelemetryTracing = z.infer<typeof tracing>;
export type TelemetryTag = z.infer<typeof tag>;
export type TelemetryMetrics = z.infer<typeof metrics>;
export type TelemetryAccessLogging = z.infer<typeof accessLogging>;

export interface Telemetry {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string; uid?: string; generation?: number; creationTimestamp?: string };
  spec?: TelemetrySpec;
  status?: PolicyStatus;
}
