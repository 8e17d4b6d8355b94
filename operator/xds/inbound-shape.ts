import type { PathNormalization, TlsVersion } from '../../api/mesh-config.ts';
import type { AttachedPolicy } from '../mesh/authorization.ts';
import type { AttachedRateLimits } from '../mesh/rate-limits.ts';
import type { AppProtocol, InboundPort, MeshSettings, MtlsMode, Workload } from '../mesh/snapshot.ts';
import type { SideTelemetry, WorkloadTelemetry } from '../mesh/telemetry.ts';
import type { AttachedTokens } from '../mesh/tokens.ts';
import { describeMetricsPage } from './metrics-page.ts';
import { toldClusters } from './told-clusters.ts';

/** One port of an inbound listener. */
export interface InboundPortShape {
  readonly port: number;
  readonly protocol: AppProtocol;
  readonly service: string | undefined;
  readonly mode: MtlsMode;
  /** False for ports that only a PeerAuthentication names. */
  readonly declared: boolean;
  /** Where the application listens, and what it takes, when a Sidecar says so. */
  readonly target?: NonNullable<InboundPort['target']>;
  readonly connectionPool?: NonNullable<InboundPort['connectionPool']>;
}

/** What is told of the requests that a workload takes. Whose they are is said where spans say it. */
export interface InboundTelemetry
  extends Pick<WorkloadTelemetry, 'namesItself'>,
    Partial<Pick<WorkloadTelemetry, 'service' | 'revision'>> {
  readonly server: Pick<SideTelemetry, 'accessLogs' | 'tracing' | 'tagged'>;
  readonly namespace?: string;
  /** Names of the clusters over which it is, and those of its outbound side. */
  readonly clusters: readonly string[];
}

/** All that the inbound side of a proxy depends on; equal replicas have an equal shape and share its resources. */
export interface InboundShape {
  readonly dualStack: boolean;
  /** Every answer asks its caller to connect anew, which then reaches another pod. */
  readonly terminating: boolean;
  /** The oldest TLS that is taken of other proxies; undefined: 1.3. */
  readonly minTls: TlsVersion | undefined;
  /** Of paths; undefined: `BASE`. */
  readonly normalization: PathNormalization | undefined;
  /** As of a workload. */
  readonly boundsRefusalLog: boolean;
  /** For ports that nobody declared. */
  readonly mode: MtlsMode;
  readonly authorization: readonly AttachedPolicy[];
  readonly tokens: readonly AttachedTokens[];
  readonly rateLimits: readonly AttachedRateLimits[];
  /** What is told of requests; undefined: nothing but metrics. */
  readonly telemetry: InboundTelemetry | undefined;
  /** What the page of metrics is told (`metrics-page.ts`); absent: nothing. No listener depends on it. */
  readonly metricsPage?: string;
  /** By number. */
  readonly ports: readonly InboundPortShape[];
}

/** The mesh's settings that matter for the inbound side of workloads. */
export type InboundSettings = Pick<MeshSettings, 'meshMTLS' | 'pathNormalization'>;

/** What matters of a workload for its inbound side. */
export function inboundShape(workload: Workload, settings: InboundSettings): InboundShape {
  const ports = new Map<number, InboundPortShape>();
  const modeOf = (port: number): MtlsMode => workload.mtls.ports[port] ?? workload.mtls.mode;
  for (const { port, protocol, service, target, connectionPool } of workload.inbound) {
    if (protocol === 'udp' || ports.has(port)) continue;
    const sidecar = {
      ...(target === undefined ? {} : { target }),
      ...(connectionPool === undefined ? {} : { connectionPool }),
    };
    ports.set(port, { port, protocol, service, mode: modeOf(port), declared: true, ...sidecar });
  }
  for (const port of Object.keys(workload.mtls.ports).map(Number)) {
    if (ports.has(port)) continue;
    ports.set(port, { port, protocol: 'tcp', service: undefined, mode: modeOf(port), declared: false });
  }
  return {
    dualStack: isDualStack(workload),
    terminating: workload.terminating,
    minTls: settings.meshMTLS?.minProtocolVersion,
    normalization: settings.pathNormalization?.normalization,
    boundsRefusalLog: workload.boundsRefusalLog === true,
    mode: workload.mtls.mode,
    authorization: workload.authorization,
    tokens: workload.tokens,
    rateLimits: workload.rateLimits,
    telemetry: inboundTelemetry(workload),
    ...(workload.telemetry?.metrics === undefined
      ? {}
      : { metricsPage: describeMetricsPage(workload.telemetry.metrics) }),
    ports: [...ports.values()].sort((a, b) => a.port - b.port),
  };
}

function inboundTelemetry({ telemetry, namespace }: Workload): InboundTelemetry | undefined {
  if (telemetry === undefined) return undefined;
  const { service, revision, namesItself } = telemetry;
  const { accessLogs, tracing, tagged } = telemetry.server;
  const counted = tagged === undefined ? {} : { tagged };
  const clusters = toldClusters(telemetry);
  if (tracing !== undefined) {
    return { server: { accessLogs, tracing, ...counted }, namesItself, service, revision, namespace, clusters };
  }
  if (accessLogs.length + clusters.length === 0 && tagged === undefined) return undefined;
  return { server: { accessLogs, ...counted }, namesItself, clusters };
}

/** Whether a policy is about a port; undefined: one that nobody declared. */
export function isAbout({ ports }: { readonly ports?: readonly number[] }, port: number | undefined): boolean {
  return ports === undefined || (port !== undefined && ports.includes(port));
}

/** Whether the pod has an IPv6 address. */
export function isDualStack(workload: Workload): boolean {
  return workload.addresses.some((address) => address.includes(':'));
}

/** Equal for equal shapes, and only for those. */
export function inboundShapeKey(shape: InboundShape): string {
  const authorization = shape.authorization.map(({ rules, ports, authorizer, asksItselfAt }) => [
    rules.digest,
    ports,
    authorizer,
    asksItselfAt,
  ]);
  const tokens = shape.tokens.map(({ rules, keys, ports }) => [rules.digest, keys.map(({ digest }) => digest), ports]);
  const rateLimits = shape.rateLimits.map(({ rules, ports }) => [rules.digest, ports]);
  return JSON.stringify({ ...shape, authorization, tokens, rateLimits });
}
