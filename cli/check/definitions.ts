import { includes, narrowedBy } from '../install/definitions.ts';
import { kindOf, type ManifestObject } from '../install/manifest-object.ts';
import { type Check, type Finding, failed, ok, some, warning } from './check.ts';
import type { CheckContext } from './context.ts';

const CATEGORY = 'Definitions';

interface Found {
  readonly ours: ManifestObject;
  /** As the cluster has it; undefined when it has not. */
  readonly present: ManifestObject | undefined;
}

const find = (context: CheckContext, definitions: readonly ManifestObject[]): Promise<Found[]> =>
  Promise.all(
    definitions.map(async (ours) => ({
      ours,
      present: await context.get<ManifestObject>(kindOf(ours), ours.metadata),
    })),
  );

const missingOf = (found: readonly Found[]): ManifestObject[] =>
  found.filter(({ present }) => !present).map(({ ours }) => ours);

const names = (objects: readonly ManifestObject[]): string => some(objects.map(({ metadata }) => metadata.name));

export const ownDefinitions: Check = {
  category: CATEGORY,
  title: "Heddle's definitions",
  async run(context) {
    const { base } = await context.manifests();
    const own = base.filter(({ kind }) => kind === 'CustomResourceDefinition');
    const found = await find(context, own);
    const missing = missingOf(found);
    const other = found.flatMap(({ ours, present }) => (present && !includes(present.spec, ours.spec) ? [ours] : []));
    if (missing.length > 0) return [failed(`definitions are missing: ${names(missing)}`, 'heddle upgrade makes them')];
    if (other.length > 0) {
      return [
        warning(`definitions are of another version of Heddle: ${names(other)}`, 'heddle upgrade --dry-run shows how'),
      ];
    }
    return [ok(`${own.length} definitions of Heddle are there, and of this version`)];
  },
};

export const istioDefinitions: Check = {
  category: CATEGORY,
  title: "Istio's definitions",
  async run(context) {
    const found = await find(context, (await context.manifests()).istioDefinitions);
    const missing = missingOf(found);
    const unserved = found.flatMap(({ ours, present }) => (present && !serves(present, 'v1') ? [ours] : []));
    const findings: Finding[] = [];
    if (missing.length > 0) {
      findings.push(
        failed(`Istio's definitions are missing: ${names(missing)}`, 'heddle upgrade makes those that are absent'),
      );
    }
    if (unserved.length > 0) {
      const message = `definitions do not serve version v1, which the operator watches: ${names(unserved)}`;
      findings.push(failed(message, 'upgrade the Istio that they are of to 1.22 or later'));
    }
    return findings.length > 0 ? findings : [ok(whose(found.map(({ present }) => present)))];
  },
};

/** Before an installation: whose are there, and what is left alone for that. */
export const foreignDefinitions: Check = {
  category: CATEGORY,
  title: "Istio's definitions",
  async run(context) {
    const found = await find(context, (await context.manifests()).istioDefinitions);
    const there = found.filter(({ present }) => present !== undefined);
    if (there.length === 0) return [ok(`none of Istio's definitions is there; ${found.length} will be made`)];
    const wider = there.filter(({ ours, present }) => present && narrowedBy(present, ours) !== undefined);
    const kept = wider.length > 0 ? `, and ${wider.length} know more than Heddle's: they stay as they are` : '';
    return [ok(`${there.length} of ${found.length} of Istio's definitions are there${kept}`)];
  },
};

function serves({ spec }: ManifestObject, version: string): boolean {
  const { versions = [] } = (spec ?? {}) as { versions?: readonly { name: string; served?: boolean }[] };
  return versions.some(({ name, served }) => name === version && served === true);
}

function whose(definitions: readonly (ManifestObject | undefined)[]): string {
  const own = definitions.filter((each) => each?.metadata.labels?.['app.kubernetes.io/part-of'] === 'heddle').length;
  const others = definitions.length - own;
  return `${definitions.length} of Istio's definitions are there${others > 0 ? `, ${others} of them not made by Heddle` : ''}`;
}
