import type { ExtensionProvider } from '../../api/extension-provider.ts';
import type { SideTelemetry, Told, WorkloadTelemetry } from '../mesh/telemetry.ts';
import { addressOf } from '../mesh/telemetry-providers.ts';
import { telemetryCluster } from './names.ts';

/** Name of the cluster over which somebody is told; undefined: he is told nothing that leaves the pod. */
export function toldCluster({ provider, service }: Told): string | undefined {
  const address = addressOf(provider);
  if (address === undefined || service === undefined) return undefined;
  return telemetryCluster(address.port, protocolOf(provider), service);
}

/** Names of all clusters over which a workload tells anybody, each once. */
export function toldClusters(telemetry: WorkloadTelemetry | undefined): string[] {
  if (telemetry === undefined) return [];
  const told = [telemetry.client, telemetry.server].flatMap(toldBy);
  return [...new Set(told.map(toldCluster).filter((name) => name !== undefined))];
}

function toldBy({ accessLogs, tracing }: SideTelemetry): readonly Told[] {
  return tracing === undefined ? accessLogs : [...accessLogs, tracing];
}

function protocolOf({ zipkin, opentelemetry }: ExtensionProvider): 'http' | 'grpc' {
  return zipkin !== undefined || opentelemetry?.http !== undefined ? 'http' : 'grpc';
}
