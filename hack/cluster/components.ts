import path from 'node:path';
import type { ClusterNode } from './cluster-node.ts';
import {
  ALL_PODS_PREFIX,
  API_PORT,
  CLUSTER_DOMAIN,
  DNS_ADDRESS,
  ETCD_PEER_PORT,
  ETCD_PORT,
  NODE_ADDRESS,
  NODE_REGION,
  SERVICE_PREFIX,
  type StateLayout,
} from './layout.ts';

/** The arguments of etcd. It never waits for the disk: the cluster's state is throw-away. */
export function etcdArguments(state: StateLayout): string[] {
  const url = `https://127.0.0.1:${ETCD_PORT}`;
  const peer = `http://127.0.0.1:${ETCD_PEER_PORT}`;
  return [
    '--name=heddle',
    `--data-dir=${state.etcd}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
    '--client-cert-auth',
    `--trusted-ca-file=${path.join(state.pki, 'ca.crt')}`,
    `--cert-file=${path.join(state.pki, 'etcd.crt')}`,
    `--key-file=${path.join(state.pki, 'etcd.key')}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=heddle=${peer}`,
  ];
}

/** The arguments of kube-apiserver. It listens on the bridge only, which nobody outside this machine reaches. */
export function apiServerArguments(state: StateLayout): string[] {
  const pki = (name: string): string => path.join(state.pki, name);
  return [
    `--advertise-address=${NODE_ADDRESS}`,
    `--bind-address=${NODE_ADDRESS}`,
    `--secure-port=${API_PORT}`,
    `--etcd-servers=https://127.0.0.1:${ETCD_PORT}`,
    `--etcd-cafile=${pki('ca.crt')}`,
    `--etcd-certfile=${pki('kube-apiserver.crt')}`,
    `--etcd-keyfile=${pki('kube-apiserver.key')}`,
    `--service-cluster-ip-range=${SERVICE_PREFIX}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged',
    '--anonymous-auth=false',
    `--client-ca-file=${pki('ca.crt')}`,
    `--tls-cert-file=${pki('kube-apiserver.crt')}`,
    `--tls-private-key-file=${pki('kube-apiserver.key')}`,
    `--kubelet-certificate-authority=${pki('ca.crt')}`,
    `--kubelet-client-certificate=${pki('kubelet-client.crt')}`,
    `--kubelet-client-key=${pki('kubelet-client.key')}`,
    '--kubelet-preferred-address-types=InternalIP',
    `--service-account-issuer=https://kubernetes.default.svc.${CLUSTER_DOMAIN}`,
    `--service-account-key-file=${pki('service-account.pub')}`,
    `--service-account-signing-key-file=${pki('service-account.key')}`,
    `--requestheader-client-ca-file=${pki('front-proxy-ca.crt')}`,
    '--requestheader-allowed-names=front-proxy-client',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-username-headers=X-Remote-User',
    `--proxy-client-cert-file=${pki('front-proxy-client.crt')}`,
    `--proxy-client-key-file=${pki('front-proxy-client.key')}`,
    '--profiling=false',
  ];
}

/**
 * The arguments of kube-controller-manager. There is one of it, so it elects nobody and starts at once. By default it may ask the API server 20 times a
 * second, of which tests with dozens of Deployments have it wait for a minute.
 */
export function controllerManagerArguments(state: StateLayout): string[] {
  const pki = (name: string): string => path.join(state.pki, name);
  return [
    ...controllerFlags(state, 'kube-controller-manager'),
    '--authentication-tolerate-lookup-failure',
    '--use-service-account-credentials',
    `--service-account-private-key-file=${pki('service-account.key')}`,
    `--root-ca-file=${pki('ca.crt')}`,
    `--cluster-signing-cert-file=${pki('ca.crt')}`,
    `--cluster-signing-key-file=${pki('ca.key')}`,
    '--kube-api-qps=100',
    '--kube-api-burst=200',
  ];
}

/** The arguments of kube-scheduler. */
export function schedulerArguments(state: StateLayout): string[] {
  return controllerFlags(state, 'kube-scheduler');
}

function controllerFlags(state: StateLayout, name: string): string[] {
  const kubeconfig = path.join(state.pki, `${name}.kubeconfig`);
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    '--bind-address=127.0.0.1',
    '--leader-elect=false',
    '--profiling=false',
  ];
}

/** The arguments of kube-proxy. `--conntrack-max-per-core 0` leaves the host's connection table at its size. */
export function proxyArguments({ name, state }: ClusterNode): string[] {
  return [
    `--kubeconfig=${path.join(state.pki, 'kube-proxy.kubeconfig')}`,
    `--hostname-override=${name}`,
    '--proxy-mode=iptables',
    `--cluster-cidr=${ALL_PODS_PREFIX}`,
    '--conntrack-max-per-core=0',
    '--healthz-bind-address=127.0.0.1:10256',
    '--metrics-bind-address=127.0.0.1:10249',
  ];
}

/** The arguments of kubelet; the rest is in its configuration file. */
export function kubeletArguments({ name, address, zone, state }: ClusterNode): string[] {
  return [
    `--config=${path.join(state.pki, 'kubelet.yaml')}`,
    `--kubeconfig=${path.join(state.pki, 'kubelet.kubeconfig')}`,
    `--root-dir=${state.kubelet}`,
    `--cert-dir=${path.join(state.kubelet, 'pki')}`,
    `--hostname-override=${name}`,
    `--node-ip=${address}`,
    `--node-labels=topology.kubernetes.io/region=${NODE_REGION},topology.kubernetes.io/zone=${zone}`,
  ];
}

/**
 * kubelet's configuration (KubeletConfiguration v1beta1). Nothing is evicted or collected for want of disk, because the disk of a
 * small machine is shared with whatever else it does; disk statistics are off, because they fail on some virtual machines.
 * @param resolvConf the file that names the DNS servers for pods that ask for the node's.
 */
export function kubeletConfiguration({ address, controlGroup, state }: ClusterNode, resolvConf: string): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address,
    healthzBindAddress: '127.0.0.1',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: path.join(state.pki, 'ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: path.join(state.pki, 'kubelet.crt'),
    tlsPrivateKeyFile: path.join(state.pki, 'kubelet.key'),
    containerRuntimeEndpoint: `unix://${state.containerdSocket}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${controlGroup}`,
    failCgroupV1: false,
    failSwapOn: false,
    localStorageCapacityIsolation: false,
    clusterDNS: [DNS_ADDRESS],
    clusterDomain: CLUSTER_DOMAIN,
    resolvConf,
    maxPods: 250,
    podLogsDir: state.podLogs,
    volumePluginDir: path.join(state.kubelet, 'volume-plugins'),
    makeIPTablesUtilChains: false,
    evictionHard: {
      'memory.available': '100Mi',
      'nodefs.available': '0%',
      'imagefs.available': '0%',
      'nodefs.inodesFree': '0%',
    },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    serializeImagePulls: false,
  };
}
