/** An AdmissionReview for a pod of a Deployment as people have them: two containers, three probes, a volume. */
export function podReview(uid: string, metadata: Record<string, unknown> = {}, spec: Record<string, unknown> = {}) {
  const probe = { httpGet: { path: '/healthz', port: 'http', scheme: 'HTTP' }, periodSeconds: 10, timeoutSeconds: 1 };
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid,
      kind: { group: '', version: 'v1', kind: 'Pod' },
      operation: 'CREATE',
      namespace: 'shop',
      dryRun: false,
      object: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          generateName: 'ordering-7d4b9c6f5-',
          labels: { app: 'ordering', 'pod-template-hash': '7d4b9c6f5' },
          ownerReferences: [
            { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'ordering-7d4b9c6f5', uid: 'r', controller: true },
          ],
          ...metadata,
        },
        spec: {
          containers: [
            {
              name: 'ordering',
              image: 'shop/ordering:1',
              ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
              livenessProbe: probe,
              readinessProbe: probe,
              resources: { requests: { cpu: '100m', memory: '128Mi' } },
              volumeMounts: [{ name: 'config', mountPath: '/etc/ordering' }],
            },
            { name: 'exporter', image: 'shop/exporter:1', readinessProbe: { tcpSocket: { port: 9102 } } },
          ],
          volumes: [{ name: 'config', configMap: { name: 'ordering', defaultMode: 420 } }],
          serviceAccountName: 'ordering',
          ...spec,
        },
      },
    },
  };
}
