import type { MeshConfig } from '../../api/mesh-config.ts';

/** What an installation puts into every pod; a pod's annotations decide over it. */
export interface InjectionSettings {
  /** Stock Envoy. */
  readonly proxyImage: string;
  /** Image of the init container: has Node, `nft` and Heddle. */
  readonly initImage: string;
  /** Command of the init container. */
  readonly initCommand: readonly string[];
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  /** Usually cluster.local, as the other. */
  readonly clusterDomain: string;
  readonly trustDomain: string;
  /** The cluster's pods have IPv6 addresses. */
  readonly ipv6: boolean;
  /** Requests and limits of the sidecar, as Kubernetes quantities. */
  readonly cpu: string;
  readonly memory: string;
  readonly cpuLimit: string | undefined;
  readonly memoryLimit: string;
  readonly logLevel: string;
  /** Sidecars answer the DNS questions of their pods. */
  readonly dnsCapture: boolean;
  /** Worker threads of Envoy where no CPU limit says otherwise. */
  readonly concurrency: number;
}

export const DEFAULT_SETTINGS: InjectionSettings = {
  proxyImage: 'envoyproxy/envoy:v1.40.0',
  initImage: 'heddle/heddle:dev',
  initCommand: ['node', '/app/dist/proxy/init/main.js'],
  imagePullPolicy: 'IfNotPresent',
  clusterDomain: 'cluster.local',
  trustDomain: 'cluster.local',
  ipv6: false,
  cpu: '50m',
  memory: '96Mi',
  cpuLimit: undefined,
  memoryLimit: '1Gi',
  logLevel: 'warning',
  dnsCapture: false,
  concurrency: 2,
};

/** The settings that the mesh's configuration says; what it leaves out is the default. */
export function settingsFrom({ clusterDomain, trustDomain, proxy }: MeshConfig, ipv6: boolean): InjectionSettings {
  const {
    image,
    initImage,
    cpu,
    memory,
    cpuLimit,
    memoryLimit = DEFAULT_SETTINGS.memoryLimit,
    logLevel,
    dnsCapture,
  } = proxy;
  return {
    ...DEFAULT_SETTINGS,
    proxyImage: image,
    initImage,
    clusterDomain,
    trustDomain,
    ipv6,
    cpu,
    memory,
    cpuLimit,
    memoryLimit,
    logLevel,
    dnsCapture,
  };
}
