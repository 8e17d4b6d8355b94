import type { V1Pod } from '@kubernetes/client-node';
import type { ApplicationMetrics } from '../../proxy/application-metrics.ts';
import { METRICS_PATH } from '../../proxy/metrics-listeners.ts';
import { isProxyPort, PROBE_PORT } from '../../proxy/ports.ts';

/** The annotations by which Prometheus finds pods. */
const SCRAPE = 'prometheus.io/scrape';
const PORT = 'prometheus.io/port';
const PATH = 'prometheus.io/path';
const SCHEME = 'prometheus.io/scheme';

/** What Prometheus is told of a pod. */
export interface Scraping {
  readonly annotations: Readonly<Record<string, string>>;
  /** Whose metrics stand beside the sidecar's, where they are asked for on its probe port. */
  readonly application?: ApplicationMetrics;
  /** What can't be followed, naming the annotation. */
  readonly warnings: readonly string[];
}

/**
 * Points Prometheus at the sidecar, which adds the application's own metrics to its page (Istio's merging): two pages of one pod could not be told by
 * annotations, and under STRICT nobody without an identity reaches the application's port.
 * @param merges false: annotations stay as they are (`prometheus.istio.io/merge-metrics: "false"`); so they do where `prometheus.io/scrape` is "false"
 * @param known what an earlier pass of the webhook found
 */
export function scrapeSidecar(pod: V1Pod, merges: boolean, known: ApplicationMetrics | undefined): Scraping {
  const annotations = pod.metadata?.annotations ?? {};
  if (!merges || annotations[SCRAPE] === 'false') return { annotations, warnings: [] };
  const { [SCHEME]: _scheme, ...others } = annotations;
  const ours = { ...others, [SCRAPE]: 'true', [PORT]: String(PROBE_PORT), [PATH]: METRICS_PATH };
  const isOurs = annotations[PORT] === String(PROBE_PORT);
  if (isOurs) return { annotations: ours, ...(known === undefined ? {} : { application: known }), warnings: [] };
  if (annotations[SCRAPE] !== 'true') return { annotations: ours, warnings: [] };
  const port = Number(annotations[PORT] ?? firstPort(pod) ?? 80);
  if (!Number.isInteger(port) || port < 1 || port > 65_535 || isProxyPort(port)) {
    const warning = `metadata.annotations[${PORT}]: "${annotations[PORT]?.slice(0, 100)}" is no port of the application, so that the metrics of the sidecar are all there is`;
    return { annotations: ours, warnings: [warning] };
  }
  const path = annotations[PATH] || '/metrics';
  const application: ApplicationMetrics = {
    port,
    path: encodeURI((path.startsWith('/') ? path : `/${path}`).toWellFormed()).replaceAll('%25', '%'),
    scheme: annotations[SCHEME] === 'https' ? 'https' : 'http',
  };
  return { annotations: ours, application, warnings: [] };
}

/** Where the annotation does not say, Prometheus takes what the pod declares. */
function firstPort({ spec }: V1Pod): number | undefined {
  return spec?.containers.flatMap(({ ports }) => ports ?? []).find(({ protocol = 'TCP' }) => protocol === 'TCP')
    ?.containerPort;
}
