import type { CanaryStatus } from '../../../api/canary-status.ts';
import { waitFor } from '../../../hack/mesh/wait.ts';
import { type CanaryObject, orders, ordersCanary } from './canary-fixture.ts';
import type { TestNamespace } from './namespace.ts';

/** A pod of `orders` as far as the tests read it. */
export interface OrdersPod {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** `orders` as a target of any kind: a Service and the target, and a Canary of it with short intervals. */
export class OrdersTarget {
  readonly #space: TestNamespace;
  readonly #kind: string;

  constructor(space: TestNamespace, kind: 'Deployment' | 'StatefulSet' | 'DaemonSet') {
    this.#space = space;
    this.#kind = kind;
  }

  /** @param spec goes over that of the target */
  async apply(spec: object): Promise<void> {
    const [service, { spec: template, ...target }] = orders() as [object, { spec: { replicas?: number } }];
    const { replicas: _ofDeployment, ...rest } = template;
    await this.#space.apply(service, { ...target, kind: this.#kind, spec: { ...rest, ...spec } });
  }

  /** @param spec goes over that of the Canary */
  async applyCanary(analysis: object = {}, spec: object = {}): Promise<void> {
    await this.#space.apply(ordersCanary(analysis, { targetRef: { kind: this.#kind, name: 'orders' }, ...spec }));
  }

  /** Changes the environment, which makes a new revision. */
  async release(...environment: readonly string[]): Promise<void> {
    await this.#space.run('set', 'env', `${this.#kind.toLowerCase()}/orders`, ...environment);
  }

  /** `kubectl rollout status`: its exit code, and what it said. */
  async rollout(seconds: number): Promise<{ code: number; said: string }> {
    const of = `${this.#kind.toLowerCase()}/orders`;
    const args = ['-n', this.#space.name, 'rollout', 'status', of, `--timeout=${seconds}s`];
    const { code, stdout, stderr } = await this.#space.kubectl.try(args, { timeoutMs: (seconds + 20) * 1000 });
    return { code, said: stdout + stderr };
  }

  /** Pods that are not on their way out, in the order of their names. */
  async pods(): Promise<readonly OrdersPod[]> {
    const pods = await this.#space.list<OrdersPod>('pods', 'app=orders');
    return pods
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  }

  /** Asks for the eviction of a pod, as a node drain does; waits while a PodDisruptionBudget is against it. */
  async evict(name: string): Promise<void> {
    const path = `/api/v1/namespaces/${this.#space.name}/pods/${name}/eviction`;
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: this.#space.name } };
    await waitFor(
      `the eviction of ${name}`,
      async () => {
        const { code, stderr } = await this.#space.kubectl.try(['create', '--raw', path, '-f', '-'], {
          input: JSON.stringify(body),
        });
        if (code !== 0) throw new Error(stderr);
        return true;
      },
      { timeoutMs: 120_000, everyMs: 1000 },
    );
  }

  /** Waits until the status is as wanted, and gives it. */
  async when(check: (status: CanaryStatus) => boolean, seconds = 150): Promise<CanaryStatus> {
    const found = await this.#space.waitFor<CanaryObject>(
      'canary',
      'orders',
      ({ status = {} }) => (check(status) ? undefined : JSON.stringify(status)),
      { timeoutMs: seconds * 1000, everyMs: 200 },
    );
    return found.status ?? {};
  }

  /** Waits for a phase. */
  phase(phase: string, seconds?: number): Promise<CanaryStatus> {
    return this.when(({ phase: now }) => now === phase, seconds);
  }

  /** Waits for the end of a release, whatever it is. */
  over(seconds?: number): Promise<CanaryStatus> {
    return this.when(({ phase = '' }) => phase === 'Succeeded' || phase === 'Failed', seconds);
  }

  /** Waits until `TargetReady` has a reason, and gives its message. */
  async targetReady(reason: string): Promise<string> {
    const ready = ({ conditions = [] }: CanaryStatus) => conditions.find(({ type }) => type === 'TargetReady');
    return ready(await this.when((status) => ready(status)?.reason === reason, 60))?.message ?? '';
  }
}

/** Revision of a pod. */
export function revisionOf({ metadata }: OrdersPod): string {
  return metadata.labels['pod-template-hash'] ?? metadata.labels['controller-revision-hash'] ?? '';
}

export function isReady({ status }: OrdersPod): boolean {
  return status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
}
