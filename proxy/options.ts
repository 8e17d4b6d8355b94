import type { ConfigurationLoading } from '../api/mesh-config.ts';
import { REDIRECT_DEFAULTS, type RedirectOptions } from './redirect.ts';

/** What a pod may ask of its sidecar; every field has a default. */
export interface ProxyOptions extends RedirectOptions {
  /** Kubernetes quantities; undefined means none is set, or the webhook's own default. */
  readonly cpuRequest: string | undefined;
  readonly cpuLimit: string | undefined;
  readonly memoryRequest: string | undefined;
  readonly memoryLimit: string | undefined;
  readonly logLevel: string;
  /** Image of the sidecar; undefined means the webhook's. */
  readonly image: string | undefined;
  readonly rewriteProbes: boolean;
  /** Prometheus is pointed at the sidecar, which adds the application's metrics to its own. */
  readonly mergeMetrics: boolean;
  /** The sidecar answers the application's DNS questions for hosts of the mesh. */
  readonly dnsCapture: boolean;
  /** What the sidecar is sent of clusters; the operator reads it. */
  readonly configurationLoading: ConfigurationLoading;
}

export const PROXY_DEFAULTS: ProxyOptions = {
  ...REDIRECT_DEFAULTS,
  cpuRequest: undefined,
  cpuLimit: undefined,
  memoryRequest: undefined,
  memoryLimit: undefined,
  logLevel: 'warning',
  image: undefined,
  rewriteProbes: true,
  mergeMetrics: true,
  dnsCapture: false,
  configurationLoading: 'eager',
};
