import type { CanaryStatus } from '../../../api/canary-status.ts';
import type { TestNamespace } from './namespace.ts';
import { shopPodSpec } from './sample-shop.ts';

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
          spec: shopPodSpec(
            { ROLE: 'inventory', VERSION: 'v1' },
            // Patient: of a DaemonSet an old pod that fails its probe is deleted as soon as there is a new one beside it.
            { readinessProbe: { httpGet: { path: '/readyz', port: 8080 }, periodSeconds: 2, timeoutSeconds: 10 } },
          ),
        },
      },
    },
  ];
}

/**
 * A Canary of the Deployment of its name, with a short interval, that fails where more than 1 % of the requests do.
 * @param analysis goes over that, and has the rest
 * @param spec goes over that of the Canary
 */
export function canaryOf(name: string, analysis: object, spec: object = {}): object {
  return {
    apiVersion: 'heddle.dev/v1alpha1',
    kind: 'Canary',
    metadata: { name },
    spec: {
      targetRef: { kind: 'Deployment', name },
      analysis: {
        interval: '5s',
        metrics: [{ name: 'request-success-rate', thresholdRange: { min: 99 } }],
        ...analysis,
      },
      ...spec,
    },
  };
}

/** A Canary of `orders`: 5, 50, 100 %. */
export function ordersCanary(analysis: object = {}, spec: object = {}): object {
  return canaryOf('orders', { threshold: 2, stepWeights: [5, 50, 100], ...analysis }, spec);
}

/** How many pods of `orders` may be away. @param spec such as `minAvailable` */
export function ordersBudget(spec: object): object {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'orders' },
    spec: { ...spec, selector: { matchLabels: { app: 'orders' } } },
  };
}

/** A condition as one line: `True Aborted: MESSAGE`. */
export function conditionLine({ conditions = [] }: CanaryStatus, type: string): string {
  const found = conditions.find((one) => one.type === type);
  return `${found?.status} ${found?.reason}: ${found?.message}`;
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
