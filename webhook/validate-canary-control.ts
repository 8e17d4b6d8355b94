import type { Canary, CanarySpec } from '../api/canary.ts';
import { COMMAND_ANNOTATION, readCommand } from '../api/canary-command.ts';
import { dependencyKeys, findCycle } from '../api/canary-dependency.ts';
import { durationMs } from '../api/duration.ts';
import { countSteps } from './analysis-length.ts';

/**
 * What is wrong with the fields by which a release is controlled, beyond what the schema says.
 * @returns one sentence per problem, beginning with the field, saying what to write instead
 */
export function controlProblems({ analysis, dependsOn = [] }: CanarySpec): string[] {
  const { webhooks = [], alerts = [], pauses = [], rollbackWindow, interval } = analysis;
  const problems = [
    ...twice(
      'spec.analysis.webhooks',
      'name',
      webhooks.map(({ name }) => name),
    ),
    ...twice(
      'spec.analysis.alerts',
      'name',
      alerts.map(({ name }) => name),
    ),
    ...twice(
      'spec.analysis.pauses',
      'afterStep',
      pauses.map(({ afterStep }) => String(afterStep)),
    ),
    ...twice(
      'spec.dependsOn',
      'name',
      dependsOn.map(({ name, namespace }) => (namespace ? `${namespace}/${name}` : name)),
    ),
    ...pauseProblems(analysis),
  ];
  if (rollbackWindow !== undefined && durationMs(rollbackWindow) < durationMs(interval)) {
    problems.push(
      `spec.analysis.rollbackWindow: "${rollbackWindow}" is shorter than spec.analysis.interval (${interval}), so nothing would be checked in it; raise it`,
    );
  }
  return problems;
}

/**
 * Whether a Canary would wait for itself.
 * @param find the Canaries that are there, by `namespace/name`
 */
export function cycleProblems(
  namespace: string,
  name: string,
  spec: CanarySpec,
  find: (key: string) => Canary | undefined,
): string[] {
  const own = `${namespace}/${name}`;
  return dependencyKeys({ metadata: { namespace, name }, spec }).flatMap((key, index) => {
    const cycle = findCycle(own, key, find);
    return cycle
      ? [`spec.dependsOn[${index}]: ${cycle.join(' depends on ')}, so none could go first; take one out`]
      : [];
  });
}

/** Whether the annotation of a command has none. @param metadata of the Canary */
export function commandProblems(metadata: unknown): string[] {
  const { annotations } = (metadata ?? {}) as { annotations?: Record<string, string> };
  const value = annotations?.[COMMAND_ANNOTATION];
  const given = value === undefined ? undefined : readCommand(value);
  return typeof given === 'string' ? [`metadata.annotations[${COMMAND_ANNOTATION}]: ${given}`] : [];
}

function pauseProblems(analysis: CanarySpec['analysis']): string[] {
  const { pauses = [] } = analysis;
  const steps = countSteps(analysis);
  return pauses.flatMap(({ afterStep }, index) =>
    afterStep > steps
      ? [`spec.analysis.pauses[${index}].afterStep: there are ${steps} steps; write at most ${steps}`]
      : [],
  );
}

function twice(field: string, key: string, values: readonly string[]): string[] {
  return values.flatMap((value, index) =>
    values.indexOf(value) < index ? [`${field}[${index}].${key}: "${value}" is there already; keep one entry`] : [],
  );
}
