import { stringify } from 'yaml';

export const METRICS_SERVER_IMAGE = 'heddle/metrics-server:dev';
/** Name of the APIService by which the API server serves what pods use. */
export const METRICS_API = 'v1beta1.metrics.k8s.io';

const NAME = 'metrics-server';
const NAMESPACE = 'kube-system';
const METADATA = { name: NAME, namespace: NAMESPACE, labels: { 'k8s-app': NAME } };
const RBAC = 'rbac.authorization.k8s.io/v1';
const PORT = 10_250;

/**
 * The objects of a metrics server for tests as YAML documents, with the rights that its own manifests give it. It asks kubelets every 10 s, which is as often as it
 * can, and takes their certificates from the cluster's CA.
 */
export function metricsServerManifest(): string {
  return [...access(), service(), deployment(), apiService()].map((object) => stringify(object)).join('---\n');
}

function access(): object[] {
  const subjects = [{ kind: 'ServiceAccount', name: NAME, namespace: NAMESPACE }];
  const bound = (kind: string, name: string, role: string) => ({
    apiVersion: RBAC,
    kind: `${kind}Binding`,
    metadata: { name, ...(kind === 'Role' ? { namespace: NAMESPACE } : {}) },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: role },
    subjects,
  });
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: METADATA },
    {
      apiVersion: RBAC,
      kind: 'ClusterRole',
      metadata: { name: 'system:metrics-server' },
      rules: [
        { apiGroups: [''], resources: ['nodes/metrics'], verbs: ['get'] },
        { apiGroups: [''], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] },
      ],
    },
    bound('ClusterRole', 'system:metrics-server', 'system:metrics-server'),
    bound('ClusterRole', 'metrics-server:system:auth-delegator', 'system:auth-delegator'),
    bound('Role', 'metrics-server-auth-reader', 'extension-apiserver-authentication-reader'),
  ];
}

function service(): object {
  const ports = [{ name: 'https', port: 443, targetPort: PORT }];
  return { apiVersion: 'v1', kind: 'Service', metadata: METADATA, spec: { selector: METADATA.labels, ports } };
}

function deployment(): object {
  const { labels } = METADATA;
  const container = {
    name: NAME,
    image: METRICS_SERVER_IMAGE,
    imagePullPolicy: 'IfNotPresent',
    args: [
      '--cert-dir=/tmp',
      `--secure-port=${PORT}`,
      '--metric-resolution=10s',
      '--kubelet-request-timeout=5s',
      '--kubelet-preferred-address-types=InternalIP',
      '--kubelet-certificate-authority=/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
    ],
    resources: { requests: { cpu: '10m', memory: '64Mi' } },
    readinessProbe: { httpGet: { path: '/readyz', port: PORT, scheme: 'HTTPS' }, periodSeconds: 1 },
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
  };
  const spec = {
    serviceAccountName: NAME,
    securityContext: { runAsNonRoot: true, runAsUser: 65_532 },
    containers: [container],
    volumes: [{ name: 'tmp', emptyDir: {} }],
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: METADATA,
    spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
}

function apiService(): object {
  return {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: METRICS_API },
    spec: {
      group: 'metrics.k8s.io',
      version: 'v1beta1',
      groupPriorityMinimum: 100,
      versionPriority: 100,
      service: { name: NAME, namespace: NAMESPACE },
      // It signs its certificate itself at each start, as it does by its own manifests.
      insecureSkipTLSVerify: true,
    },
  };
}
