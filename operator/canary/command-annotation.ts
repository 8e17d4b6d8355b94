import type { Canary } from '../../api/canary.ts';
import { COMMAND_ANNOTATION } from '../../api/canary-command.ts';
import { CANARY } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { isConflict, isKubeError, isNotFound } from '../../kube/kube-error.ts';
import { isHandled } from './commands.ts';
import { FIELD_MANAGER } from './targets/borrowed-fields.ts';

/** The command that a Canary's annotation gives. */
export function commandOf({ metadata }: Canary): string | undefined {
  return metadata.annotations?.[COMMAND_ANNOTATION];
}

/**
 * Takes the annotation of a command away once the status says what became of it, if it is still the same.
 * @returns the Canary as it is now; undefined when there was nothing to do
 */
export async function removeCommand(api: Pick<KubeApi, 'patch'>, canary: Canary): Promise<Canary | undefined> {
  const value = commandOf(canary);
  if (!isHandled(canary.status ?? {}, value)) return undefined;
  const { name, namespace, resourceVersion } = canary.metadata;
  // The version makes sure that it is not another command of the same words.
  const body = { metadata: { resourceVersion, annotations: { [COMMAND_ANNOTATION]: null } } };
  try {
    return await api.patch<Canary>(CANARY, { name, namespace }, 'merge', body, { fieldManager: FIELD_MANAGER });
  } catch (error) {
    // It changed meanwhile, or is gone: the next look sees it as it is.
    if (isConflict(error) || isNotFound(error) || isKubeError(error, 422)) return undefined;
    throw error;
  }
}
