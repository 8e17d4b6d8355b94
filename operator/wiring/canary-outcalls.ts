import type { Registry } from 'prom-client';
import type { Canary } from '../../api/canary.ts';
import type { MeshConfig } from '../../api/mesh-config.ts';
import type { EventRecorder } from '../../kube/event-recorder.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import type { Logger } from '../../kube/logger.ts';
import { AlertSender } from '../canary/alerts/alert-sender.ts';
import { HookRunner, type HookRunnerOptions } from '../canary/hook-runner.ts';
import { registerCanaryMetrics } from '../canary/metrics.ts';
import { postJson } from '../canary/outcall.ts';
import type { CanaryDependencies } from '../canary/ports.ts';
import { TemplateRunner } from '../canary/template-runner.ts';
import { blockList } from '../outward/destination.ts';
import { trustIn } from '../outward/tls-trust.ts';
import { askTemplate } from '../providers/ask-template.ts';

export interface CanaryOutcallOptions {
  readonly api: Pick<KubeApi, 'get' | 'apply'>;
  readonly config: Pick<MeshConfig, 'metrics' | 'rootNamespace'>;
  readonly registry: Registry;
  readonly canaries: () => Iterable<Canary>;
  readonly isLeader: () => boolean;
  readonly events: EventRecorder;
  readonly logger: Logger;
}

/** Whom Canaries ask and tell, beside the API server. */
export interface CanaryOutcalls extends Pick<CanaryDependencies, 'alerts' | 'event'> {
  readonly hooks: HookRunner;
  readonly templates: TemplateRunner;
  stop(): void;
}

/** Joins hooks, alerts and MetricTemplates with how servers that users name are called, and registers the metrics of Canaries. */
export function canaryOutcalls(options: CanaryOutcallOptions): CanaryOutcalls {
  const { api, config, isLeader, events, logger } = options;
  const metrics = registerCanaryMetrics(options.registry, options.canaries, isLeader);
  const allowed = blockList([]);
  const post: HookRunnerOptions['post'] = (url, body, bounds) => postJson(url, body, { ...bounds, allowed });
  const hooks = new HookRunner({ post, isLeader, logger });
  const record: CanaryDependencies['event'] = (canary, event) => events.record(canary, event);
  const alerts = new AlertSender({ post, isLeader, logger, api, event: record });
  const asking = {
    api,
    rootNamespace: config.rootNamespace,
    allowed: blockList(config.metrics.allowedAddresses),
    trust: trustIn(config.metrics.extraRootCA),
  };
  const templates = new TemplateRunner({
    ask: async (question, signal) => {
      const answer = await askTemplate(question, asking, signal);
      metrics.answered(answer.reason);
      return answer;
    },
  });
  const event: CanaryDependencies['event'] = (canary, told) => {
    record(canary, told);
    metrics.event(canary, told);
  };
  const stop = (): void => {
    for (const one of [hooks, alerts, templates]) one.stop();
  };
  return { hooks, alerts, templates, event, stop };
}
