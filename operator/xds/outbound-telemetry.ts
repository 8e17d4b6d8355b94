import type { SideTelemetry, WorkloadTelemetry } from '../mesh/telemetry.ts';

/** What is told of the requests that clients make, as far as their listeners depend on it: clients of which the same is told share these. */
export interface OutboundTelemetry {
  readonly client: Pick<SideTelemetry, 'accessLogs' | 'tracing' | 'tagged'>;
  readonly namesItself: boolean;
  /** Equal for equal content. */
  readonly key: string;
}

/** @returns undefined where nothing is told but everybody's metrics */
export function outboundTelemetry(telemetry: WorkloadTelemetry | undefined): OutboundTelemetry | undefined {
  if (telemetry === undefined) return undefined;
  const { client, namesItself } = telemetry;
  if (client.accessLogs.length === 0 && client.tracing === undefined && client.tagged === undefined) return undefined;
  return { client, namesItself, key: `${client.digest}${namesItself ? ' named' : ''}` };
}
