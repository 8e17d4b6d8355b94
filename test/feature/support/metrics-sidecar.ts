import type { V1Pod } from '@kubernetes/client-node';
import { waitFor } from '../../../hack/mesh/wait.ts';
import { buildAdminCluster } from '../../../proxy/admin-cluster.ts';
import type { ApplicationMetrics } from '../../../proxy/application-metrics.ts';
import { expandArgument, toArgument } from '../../../proxy/expansion.ts';
import { buildMergedClusters, buildMergedPage } from '../../../proxy/merged-page.ts';
import { buildCountedCluster, buildMetricsListener } from '../../../proxy/metrics-listeners.ts';
import { ADMIN_PORT, METRICS_PORT, PROBE_PORT } from '../../../proxy/ports.ts';
import { buildProbeConfig } from '../../../proxy/probe-listeners.ts';
import { DEFAULT_SETTINGS } from '../../../webhook/inject/settings.ts';
import { canonicalService, ownWorkload } from '../../../webhook/inject/workload.ts';
import { freePort } from './free-port.ts';

type Config = Readonly<Record<string, unknown>>;

/** The metrics part of a pod's bootstrap, on free ports of loopback. */
export interface MetricsPart {
  readonly statics: (adminPort: number) => {
    readonly listeners: readonly Config[];
    readonly clusters: readonly Config[];
  };
  /** Where its pages are. */
  readonly ports: { readonly own: number; readonly merged: number };
  /** The page with the sidecar's own metrics. */
  own(): Promise<string>;
  /** The page with those of the application besides. */
  merged(init?: RequestInit): Promise<string>;
}

/** What is answered once it is not too often. */
function answered(port: number, init: RequestInit): Promise<{ readonly status: number; readonly text: string }> {
  return waitFor('a page that is not too often', async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/stats/prometheus`, init);
    const text = await answer.text();
    return answer.status === 429 ? undefined : { status: answer.status, text };
  });
}

/** @param application on loopback */
export async function metricsPart(pod: V1Pod, application?: ApplicationMetrics): Promise<MetricsPart> {
  const [own, merged] = [await freePort(), await freePort()];
  const page = { own: ownWorkload(pod, canonicalService(pod), DEFAULT_SETTINGS), clusterDomain: 'cluster.local' };
  const { listeners } = buildProbeConfig({}, false, buildMergedPage(application));
  const ports = new Map([
    [METRICS_PORT, own],
    [PROBE_PORT, merged],
  ]);
  const fetchPage = async (port: number, init: RequestInit = {}): Promise<string> => {
    const { status, text } = await answered(port, init);
    if (status !== 200) throw new Error(`the page answers ${status}: ${text}`);
    return text;
  };
  return {
    statics: (adminPort) => {
      const config = {
        listeners: [buildMetricsListener(page, false), ...listeners],
        clusters: [buildAdminCluster(), buildCountedCluster(), ...buildMergedClusters(application)],
      };
      const environment = {
        POD_NAME: pod.metadata?.name ?? '',
        POD_NAMESPACE: pod.metadata?.namespace ?? '',
        SERVICE_ACCOUNT: pod.spec?.serviceAccountName ?? '',
        INSTANCE_IP: '127.0.0.1',
      };
      const text = expandArgument(toArgument(config), environment);
      return JSON.parse(
        text.replace(/"port_value":(\d+)/g, (_, port: string) => {
          const at = Number(port) === ADMIN_PORT ? adminPort : (ports.get(Number(port)) ?? port);
          return `"port_value":${at}`;
        }),
      );
    },
    ports: { own, merged },
    own: () => fetchPage(own),
    merged: (init) => fetchPage(merged, init),
  };
}
