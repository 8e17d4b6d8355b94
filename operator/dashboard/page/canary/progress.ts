import type { Canary } from '../../../../api/canary.ts';

/** One step of a release as the page draws it. */
export interface Stage {
  readonly title: string;
  readonly state: 'done' | 'now' | 'failed' | 'ahead';
}

type Spec = Canary['spec'];

/** The steps that the spec asks for, in the order of `status.step`: copies first, then weights, or one step of checks. */
export function stepTitles({ analysis }: Spec): string[] {
  const {
    iterations,
    match,
    mirror = false,
    mirrorWeight = 100,
    stepWeights,
    stepWeight = 10,
    maxWeight = 100,
  } = analysis;
  if (iterations !== undefined && match === undefined) return [`${iterations} checks${mirror ? ` of copies` : ''}`];
  const first = mirror ? [`copies of ${mirrorWeight}%`] : [];
  if (iterations !== undefined) return [...first, `${iterations} checks of what matches`];
  const weights = stepWeights ?? even(stepWeight, maxWeight);
  return [...first, ...[...new Set(weights)].map((weight) => `${weight}%`)];
}

/** Where a release stands on its way from the first step to the promotion. */
export function stagesOf({ spec, status = {} }: Canary): Stage[] {
  const { phase, step = 0 } = status;
  const titles = [...stepTitles(spec), 'promoted'];
  const last = titles.length - 1;
  const now =
    phase === 'Succeeded' || phase === 'Initialized'
      ? last + 1
      : phase === 'Promoting'
        ? last
        : Math.min(step, last - 1);
  return titles.map((title, index) => {
    if (phase === undefined || phase === 'Initializing') return { title, state: 'ahead' };
    if (phase === 'Failed') return { title, state: index < now ? 'done' : index === now ? 'failed' : 'ahead' };
    return { title, state: index < now ? 'done' : index === now ? 'now' : 'ahead' };
  });
}

/** The one sentence that says what goes on and what is waited for; undefined when the operator has not said. */
export function messageOf(status: Canary['status']): string | undefined {
  const conditions = status?.conditions ?? [];
  const said = (type: string) => conditions.find((condition) => condition.type === type);
  const wrong = ['Accepted', 'TargetReady'].map(said).find((condition) => condition?.status === 'False');
  return (wrong ?? said('Progressing'))?.message;
}

/** Whether a release is under way. */
export function isUnderWay({ status }: Canary): boolean {
  return status?.phase === 'Progressing' || status?.phase === 'Waiting' || status?.phase === 'Promoting';
}

function even(step: number, most: number): number[] {
  const weights: number[] = [];
  for (let weight = step; weight < most; weight += step) weights.push(weight);
  return [...weights, most];
}
