import type { CanaryStatus } from '../../../api/canary-status.ts';
import type { TestNamespace } from './namespace.ts';

/** A Canary as far as the tests read it. */
export interface CanaryObject {
  readonly metadata: { readonly generation: number };
  readonly status?: CanaryStatus;
}

/** A Deployment as far as the tests read it. */
export interface DeploymentObject {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: {
    readonly replicas: number;
    readonly paused?: boolean;
    readonly progressDeadlineSeconds: number;
    readonly strategy: { readonly rollingUpdate: { readonly maxSurge: unknown; readonly maxUnavailable: unknown } };
  };
  readonly status?: { readonly replicas?: number };
}

/** Service `orders` on port 80 and a Deployment of the shop's last service, whose errors and delay can be set by its environment. */
export function orders(replicas = 4): object[] {
  const name = 'orders';
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { selector: { app: name }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: {
        replicas,
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name } },
          spec: {
            securityContext: { runAsNonRoot: true, runAsUser: 65_532 },
            containers: [
              {
                name: 'app',
                image: 'heddle/shop:dev',
                imagePullPolicy: 'IfNotPresent',
                command: ['node', '/app/main.ts'],
                env: [
                  { name: 'ROLE', value: 'inventory' },
                  { name: 'VERSION', value: 'v1' },
                ],
                readinessProbe: { httpGet: { path: '/readyz', port: 8080 }, periodSeconds: 2 },
                resources: { requests: { cpu: '10m', memory: '48Mi' } },
              },
            ],
          },
        },
      },
    },
  ];
}

/** A Canary of `orders`: 5, 50, 100 % with a short interval, for tests. */
export function ordersCanary(analysis: object = {}, spec: object = {}): object {
  return {
    apiVersion: 'heddle.dev/v1alpha1',
    kind: 'Canary',
    metadata: { name: 'orders' },
    spec: {
      targetRef: { kind: 'Deployment', name: 'orders' },
      analysis: {
        interval: '5s',
        threshold: 2,
        stepWeights: [5, 50, 100],
        metrics: [{ name: 'request-success-rate', thresholdRange: { min: 99 } }],
        ...analysis,
      },
      ...spec,
    },
  };
}

/** Waits until the Canary has one of the phases and gives it. */
export function waitForPhase(space: TestNamespace, phases: readonly string[], seconds: number): Promise<CanaryObject> {
  return space.waitFor<CanaryObject>(
    'canary',
    'orders',
    ({ status = {} }) => (phases.includes(status.phase ?? '') ? undefined : JSON.stringify(status)),
    { timeoutMs: seconds * 1000, everyMs: 200 },
  );
}

/** Changes the environment of `orders`, which makes a new revision. */
export function release(space: TestNamespace, ...environment: readonly string[]): Promise<string> {
  return space.run('set', 'env', 'deployment/orders', ...environment);
}
