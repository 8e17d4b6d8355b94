import { setTimeout as sleep } from 'node:timers/promises';
import { CANARY_GATE, PROXY_CONTAINER } from '../../../api/pod-names.ts';
import { POD } from '../../../kube/kinds.ts';
import type { KubeApi } from '../../../kube/kube-api.ts';
import { isConflict, isNotFound } from '../../../kube/kube-error.ts';
import type { Pod } from '../../../operator/canary/objects.ts';

/** What of a template makes pods that no scheduler binds and no kubelet runs, for `WaitingPods` to run. */
export function unscheduledPod(app: string, version: string, gated = true): object {
  return {
    metadata: { labels: { app }, annotations: { version } },
    spec: {
      schedulerName: 'nobody',
      terminationGracePeriodSeconds: 0,
      ...(gated ? { readinessGates: [{ conditionType: CANARY_GATE }] } : {}),
      containers: [
        { name: 'app', image: `shop/${app}:1` },
        { name: PROXY_CONTAINER, image: 'heddle/proxy:1' },
      ],
    },
  };
}

/**
 * Does for the pods of a namespace what kubelet does for a pod that runs well: says that it runs, and that it is Ready once its gates are open. One without
 * gates would be Ready before anybody has seen it, as no real one is: it starts, and starts.
 */
export class WaitingPods {
  readonly #api: KubeApi;
  readonly #namespace: string;
  readonly #end = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(api: KubeApi, namespace: string) {
    this.#api = api;
    this.#namespace = namespace;
  }

  start(): void {
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      // As kubelet, it tries again where the API server does not answer.
      await this.#round().catch((error) => console.error('pods are not reported, trying again:', error));
      await sleep(100, undefined, { signal }).catch(() => undefined);
    }
  }

  async #round(): Promise<void> {
    const { items } = await this.#api.list<Pod>(POD, { namespace: this.#namespace });
    await Promise.all(items.map((pod) => this.#report(pod)));
  }

  async #report({ metadata, spec, status }: Pod): Promise<void> {
    const holds = (wanted: string) =>
      status?.conditions?.some(({ type, status: is }) => type === wanted && is === 'True');
    const gates = spec?.readinessGates ?? [];
    if (gates.length === 0) return;
    const isOpen = gates.every(({ conditionType }) => holds(conditionType));
    if (status?.phase === 'Running' && (holds('Ready') ?? false) === isOpen) return;
    const lastTransitionTime = new Date().toISOString();
    const condition = (type: string, is: boolean) => ({ type, status: is ? 'True' : 'False', lastTransitionTime });
    const conditions = [condition('ContainersReady', true), condition('Ready', isOpen)];
    const body = { metadata: { uid: metadata?.uid }, status: { phase: 'Running', conditions } };
    const name = { name: metadata?.name ?? '', namespace: this.#namespace };
    try {
      await this.#api.patch(POD, name, 'strategic', body, { subresource: 'status', fieldManager: 'kubelet' });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }
}
