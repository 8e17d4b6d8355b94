import { stringify } from 'yaml';

/** Name of the APIService by which the API server has external metrics told. */
export const EXTERNAL_METRICS_API = 'v1beta1.external.metrics.k8s.io';

const GROUP = 'external.metrics.k8s.io';
const NAME = 'keda-metrics-apiserver';
const NAMESPACE = 'kube-system';
const RBAC = 'rbac.authorization.k8s.io/v1';

/**
 * Objects by which a server beside the cluster tells external metrics, as YAML documents: its API, its address, and that autoscalers may ask.
 * @param address of the server, as the API server reaches it
 */
export function externalMetrics(address: string, port: number): string {
  const metadata = { name: NAME, namespace: NAMESPACE };
  const reader = { name: 'keda-external-metrics-reader' };
  const objects = [
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ name: 'https', port: 443, targetPort: port }] } },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, labels: { 'kubernetes.io/service-name': NAME } },
      addressType: 'IPv4',
      ports: [{ name: 'https', port }],
      endpoints: [{ addresses: [address] }],
    },
    {
      apiVersion: RBAC,
      kind: 'ClusterRole',
      metadata: reader,
      rules: [{ apiGroups: [GROUP], resources: ['*'], verbs: ['*'] }],
    },
    {
      apiVersion: RBAC,
      kind: 'ClusterRoleBinding',
      metadata: reader,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: reader.name },
      subjects: [{ kind: 'ServiceAccount', name: 'horizontal-pod-autoscaler', namespace: 'kube-system' }],
    },
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: EXTERNAL_METRICS_API },
      spec: {
        group: GROUP,
        version: 'v1beta1',
        groupPriorityMinimum: 100,
        versionPriority: 100,
        service: { name: NAME, namespace: NAMESPACE },
        insecureSkipTLSVerify: true,
      },
    },
  ];
  return objects.map((object) => stringify(object)).join('---\n');
}
