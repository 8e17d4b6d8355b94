import type { Canary, CanarySpec } from '../api/canary.ts';
import { admitPod, type InjectionContext } from './inject/admission.ts';
import type { NamespaceView } from './inject/decision.ts';
import { asPod } from './inject/pod-shape.ts';
import type { InjectionSettings } from './inject/settings.ts';
import type { WebhookMetrics } from './metrics.ts';
import { type AdmissionAnswer, ReviewError } from './review.ts';
import type { AdmissionHandler } from './server.ts';
import { validateObject } from './validate.ts';

/** The cluster as admission sees it; `main.ts` answers from stores. */
export interface AdmissionCluster {
  readonly settings: () => InjectionSettings;
  readonly namespace: (name: string) => Promise<NamespaceView>;
  /** Whether a namespace belongs to the mesh. */
  readonly isDiscovered: (namespace: NamespaceView) => boolean;
  readonly isOurs: (namespace: NamespaceView) => boolean;
  readonly isGated: InjectionContext['isGated'];
  readonly judgeTarget: (namespace: string, name: string, spec: CanarySpec) => Promise<readonly string[]>;
  /** Finds a Canary that is there, by `namespace/name`. */
  readonly findCanary: (key: string) => Canary | undefined;
}

/** Answers for `/inject` and `/validate`. Neither has a side effect, so a dry run is like any other. */
export function createHandlers(cluster: AdmissionCluster, metrics: WebhookMetrics): Record<string, AdmissionHandler> {
  return {
    '/inject': async ({ kind, object, operation, namespace = '' }): Promise<AdmissionAnswer> => {
      if (kind.kind !== 'Pod' || kind.group !== '' || operation !== 'CREATE') return {};
      const shape = asPod(object);
      if ('problem' in shape) throw new ReviewError(`request.object is no pod: ${shape.problem}`);
      const view = await cluster.namespace(namespace);
      const context = {
        settings: cluster.settings(),
        namespace: view,
        discovered: cluster.isDiscovered(view),
        isGated: cluster.isGated,
      };
      const { outcome, reason = '', patch, refusal, warnings } = await admitPod(shape.pod, context);
      metrics.pod(outcome, reason);
      return { patch, warnings, ...(refusal === undefined ? {} : { refusal }) };
    },
    '/validate': async (request): Promise<AdmissionAnswer> => {
      const view = await cluster.namespace(request.namespace ?? '');
      const answer = await validateObject(request, {
        isOurs: () => cluster.isOurs(view),
        judgeTarget: cluster.judgeTarget,
        findCanary: cluster.findCanary,
      });
      metrics.judged(request.kind.kind.slice(0, 63), answer.refusal === undefined ? 'accepted' : 'refused');
      return answer;
    },
  };
}
