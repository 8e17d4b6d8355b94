import { stringify } from 'yaml';
import { CLUSTER_DOMAIN, COREDNS_IMAGE, DNS_ADDRESS } from './layout.ts';

const COREFILE = `.:53 {
    errors
    health {
        lameduck 2s
    }
    ready
    kubernetes ${CLUSTER_DOMAIN} in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 5
    }
    forward . /etc/resolv.conf
    cache 5
    reload
}
`;

const NAME = 'coredns';
const METADATA = { name: NAME, namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } };

/** The objects of the cluster's DNS server as YAML documents. Short times to live: tests create and delete Services all the time. */
export function dnsManifest(): string {
  return [...dnsAccess(), ...dnsServer()].map((object) => stringify(object)).join('---\n');
}

function dnsAccess(): object[] {
  const subject = { kind: 'ServiceAccount', name: NAME, namespace: 'kube-system' };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: METADATA },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'system:coredns' },
      rules: [
        { apiGroups: [''], resources: ['services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'system:coredns' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:coredns' },
      subjects: [subject],
    },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: METADATA, data: { Corefile: COREFILE } },
  ];
}

function dnsServer(): object[] {
  const ports = [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' },
  ];
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { ...METADATA, name: 'kube-dns' },
      spec: { clusterIP: DNS_ADDRESS, selector: METADATA.labels, ports },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: METADATA,
      spec: {
        replicas: 1,
        selector: { matchLabels: METADATA.labels },
        template: { metadata: { labels: METADATA.labels }, spec: dnsPod() },
      },
    },
  ];
}

function dnsPod(): object {
  return {
    serviceAccountName: NAME,
    priorityClassName: 'system-cluster-critical',
    dnsPolicy: 'Default',
    tolerations: [{ operator: 'Exists' }],
    containers: [
      {
        name: NAME,
        image: COREDNS_IMAGE,
        imagePullPolicy: 'IfNotPresent',
        args: ['-conf', '/etc/coredns/Corefile'],
        resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '170Mi' } },
        volumeMounts: [{ name: 'config', mountPath: '/etc/coredns', readOnly: true }],
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          // Ports below 1024 are open to everyone inside a pod's network namespace only where the runtime says so; this one does not.
          runAsUser: 0,
          capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
        },
        readinessProbe: { httpGet: { path: '/ready', port: 8181 }, periodSeconds: 1 },
        livenessProbe: { httpGet: { path: '/health', port: 8080 }, initialDelaySeconds: 10 },
      },
    ],
    volumes: [{ name: 'config', configMap: { name: NAME } }],
  };
}
