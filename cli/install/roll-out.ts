import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeObject } from '../../kube/object.ts';
import { startProgress } from '../terminal/progress.ts';
import { applyObjects, find, type InstallApi, type Plan } from './apply.ts';
import { planDefinition } from './definitions.ts';
import { kindOf, type ManifestObject, titleOf } from './manifest-object.ts';
import { missing } from './readiness.ts';
import { waitUntilNothing } from './wait.ts';

/** Those of Istio's definitions that are to be applied, and a sentence on each that is left alone. */
export async function chooseDefinitions(
  api: InstallApi,
  definitions: readonly ManifestObject[],
): Promise<{ readonly apply: readonly ManifestObject[]; readonly left: readonly string[] }> {
  const plans = await Promise.all(
    definitions.map(async (ours) => ({ ours, plan: planDefinition(await find(api, ours), ours) })),
  );
  return {
    apply: plans.filter(({ plan }) => plan.apply).map(({ ours }) => ours),
    left: plans.flatMap(({ ours, plan }) => (plan.apply ? [] : [`${titleOf(ours)} stays as it is: ${plan.reason}`])),
  };
}

/** Applies all objects, with a line of progress; definitions are served before anything else follows. */
export async function applyAll(api: InstallApi, plans: readonly Pick<Plan, 'object' | 'force'>[]): Promise<void> {
  const bar = startProgress('applying');
  const isDefinition = ({ object }: Pick<Plan, 'object'>) => object.kind === 'CustomResourceDefinition';
  const definitions = plans.filter(isDefinition);
  const others = plans.filter((plan) => !isDefinition(plan));
  await applyObjects(api, definitions, (title, index) => bar.update(index / plans.length, title));
  await served(
    api,
    definitions.map(({ object }) => object),
  );
  await applyObjects(api, others, (title, index) => bar.update((definitions.length + index) / plans.length, title));
  bar.finish(`${plans.length} objects`);
}

type Definition = KubeObject & {
  readonly status?: { readonly conditions?: readonly { type: string; status: string }[] };
};

async function served(api: InstallApi, definitions: readonly ManifestObject[]): Promise<void> {
  for (const definition of definitions) {
    for (let attempt = 0; attempt < 100; attempt++) {
      const { status } = await api.get<Definition>(kindOf(definition), definition.metadata);
      if (status?.conditions?.some(({ type, status: holds }) => type === 'Established' && holds === 'True')) break;
      await sleep(100);
    }
  }
}

/** Waits until operator and webhook serve. @throws {CliError} saying what is missing */
export function awaitReady(api: InstallApi, timeoutMs: number): Promise<void> {
  const next = 'heddle check tells more; kubectl -n heddle-system get pods,events shows it. Nothing was taken back.';
  return waitUntilNothing('waiting until it serves', () => missing(api), timeoutMs, next);
}
