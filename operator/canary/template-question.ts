import type { Canary, CanarySpec } from '../../api/canary.ts';
import type { TemplateAnswer } from '../../api/canary-round.ts';
import type { CanaryStatus } from '../../api/canary-status.ts';
import { durationMs } from '../../api/duration.ts';
import type { QueryValues } from '../../api/query-template.ts';
import { metricsOf } from './round.ts';

/** What a MetricTemplate is asked about one window. */
export interface TemplateQuestion {
  readonly metric: string;
  readonly templateRef: { readonly name: string; readonly namespace: string };
  /** Namespace of the Canary. */
  readonly namespace: string;
  /** Of the new revision. */
  readonly values: QueryValues;
  /** It is to be compared with this revision too. */
  readonly stableRevision: string | undefined;
  readonly intervalMs: number;
  /** How long the window is watched before it is asked, in ms: what is asked before its end says nothing of the rest. */
  readonly afterMs: number;
  /** When the window began, in ms since the epoch. */
  readonly since: number;
}

/** What a question came to. */
export type AskTemplate = (question: TemplateQuestion, signal: AbortSignal) => Promise<TemplateAnswer>;

/** What a canary asks of those who ask MetricTemplates. */
export interface TemplateAnswers {
  /** The newest answer about a window; undefined while there is none. @param uid of the Canary @param since when the window began, in ms */
  answer(uid: string, metric: string, since: number): TemplateAnswer | undefined;
  /** Asks these and forgets all others of the Canary. @param target whose release is to be looked at when one is answered */
  want(uid: string, target: string, questions: readonly TemplateQuestion[]): void;
}

/**
 * What must be asked for the window that a status has open.
 * @param services names of the Services that select the target's pods
 */
export function templateQuestions(
  { metadata }: Canary,
  spec: CanarySpec | undefined,
  status: CanaryStatus,
  services: readonly string[],
): TemplateQuestion[] {
  const { stepStartTime, canaryRevision, stableRevision, phase } = status;
  const open = phase === 'Progressing' || phase === 'Waiting' || phase === 'Promoting';
  if (!spec || !open || stepStartTime === undefined || canaryRevision === undefined) return [];
  const { name, namespace } = metadata;
  return metricsOf(spec.analysis).flatMap((metric) => {
    const { templateRef, comparedToStable, templateVariables = {} } = metric;
    if (templateRef === undefined) return [];
    const interval = metric.interval ?? spec.analysis.interval;
    const values: QueryValues = {
      name,
      namespace,
      target: spec.targetRef.name,
      service: [...services].sort()[0] ?? '',
      interval,
      revision: canaryRevision,
      variables: templateVariables,
    };
    return {
      metric: metric.name,
      templateRef: { name: templateRef.name, namespace: templateRef.namespace ?? namespace },
      namespace,
      values,
      stableRevision: comparedToStable === undefined ? undefined : stableRevision,
      intervalMs: durationMs(interval),
      afterMs: Math.max(durationMs(interval), durationMs(spec.analysis.interval)),
      since: Date.parse(stepStartTime),
    };
  });
}
