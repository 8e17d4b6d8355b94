import type { KubeApi } from '../../kube/kube-api.ts';
import { isConflict, isNotFound } from '../../kube/kube-error.ts';
import { CliError } from '../cli-error.ts';
import { kindOf, type ManifestObject, titleOf } from './manifest-object.ts';
import { describeChanges } from './object-diff.ts';

/** By which server-side apply knows what is ours. */
export const FIELD_MANAGER = 'heddle-cli';

export type InstallApi = Pick<KubeApi, 'get' | 'apply' | 'list' | 'delete'>;

/** A field that somebody else set otherwise. */
export interface Conflict {
  readonly field: string;
  readonly manager: string;
}

/** What applying an object would do. */
export interface Plan {
  readonly object: ManifestObject;
  readonly action: 'create' | 'change' | 'keep';
  /** Fields that change. */
  readonly changes: readonly string[];
  readonly conflicts: readonly Conflict[];
  /** Take over the fields that others own. */
  readonly force: boolean;
}

/** As whom `kubectl apply -k manifests/base` installs: what it set is ours to change. */
const FORMER_SELF = 'kubectl-client-side-apply';

/**
 * Asks the API server what applying objects would do, without doing it.
 * @param force take over fields that others own
 */
export async function planObjects(
  api: InstallApi,
  objects: readonly ManifestObject[],
  force: boolean,
): Promise<Plan[]> {
  return Promise.all(objects.map((object) => planObject(api, object, force)));
}

async function planObject(api: InstallApi, object: ManifestObject, force: boolean): Promise<Plan> {
  const present = await find(api, object);
  // What is in a namespace that is not there yet can't be tried; it can't be in anybody's way either.
  if (!present) return { object, action: 'create', changes: [], conflicts: [], force };
  try {
    const kind = kindOf(object);
    const after = await api.apply<ManifestObject>(kind, object, { fieldManager: FIELD_MANAGER, dryRun: true, force });
    const changes = describeChanges(present, after);
    return { object, action: changes.length === 0 ? 'keep' : 'change', changes, conflicts: [], force };
  } catch (error) {
    if (!isConflict(error)) throw error;
    const conflicts = readConflicts((error as Error).message);
    if (conflicts.every(({ manager }) => manager === FORMER_SELF)) return planObject(api, object, true);
    return { object, action: 'change', changes: [], conflicts, force };
  }
}

/** An object as the cluster has it; undefined when it has not. */
export async function find(api: InstallApi, object: ManifestObject): Promise<ManifestObject | undefined> {
  try {
    return await api.get<ManifestObject>(kindOf(object), object.metadata);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Takes `conflict with "kubectl-edit" using v1: .data.mesh.yaml` apart; a message that is none is the field. */
export function readConflicts(message: string): Conflict[] {
  const conflicts: Conflict[] = [];
  let manager = '';
  for (const line of message.split('\n')) {
    const [, whom, rest] = /conflicts? with "([^"]+)"[^:]*:(.*)$/.exec(line) ?? [];
    if (whom !== undefined) manager = whom;
    const field = (whom === undefined ? line.replace(/^- /, '') : (rest ?? '')).trim();
    if (field.startsWith('.')) conflicts.push({ field: field.slice(1), manager });
  }
  return conflicts.length > 0 ? conflicts : [{ field: message, manager: 'somebody' }];
}

/** @throws {CliError} naming every field that somebody else set, and by whom */
export function refuseConflicts(plans: readonly Pick<Plan, 'object' | 'conflicts'>[]): void {
  const lines = plans.flatMap(({ object, conflicts }) =>
    conflicts.map(({ field, manager }) => `${titleOf(object)}: ${field} is set by ${manager}`),
  );
  if (lines.length === 0) return;
  throw new CliError(
    `others have set fields that Heddle would change; nothing was changed:\n  ${lines.join('\n  ')}`,
    'see whether their values should stay (--set of the same keeps them), or take the fields over with --force-conflicts',
  );
}

/** Applies objects one after the other. @param tell hears of each before it is applied */
export async function applyObjects(
  api: InstallApi,
  plans: readonly Pick<Plan, 'object' | 'force'>[],
  tell: (title: string, index: number) => void,
): Promise<void> {
  for (const [index, { object, force }] of plans.entries()) {
    tell(titleOf(object), index);
    try {
      await api.apply(kindOf(object), object, { fieldManager: FIELD_MANAGER, force });
    } catch (error) {
      if (isConflict(error)) refuseConflicts([{ object, conflicts: readConflicts((error as Error).message) }]);
      throw error;
    }
  }
}
