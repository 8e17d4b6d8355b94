import type { Canary } from '../../api/canary.ts';
import type { CanaryPhase } from '../../api/canary-status.ts';
import { CANARY } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { isGone } from '../../kube/kube-error.ts';
import { CliError } from '../cli-error.ts';
import { paint } from '../terminal/colour.ts';
import { messageOf } from './list.ts';
import { paintPhase } from './phase.ts';

const ENDS: ReadonlySet<CanaryPhase | undefined> = new Set<CanaryPhase>(['Initialized', 'Succeeded', 'Failed']);

/**
 * Tells of each change of a release until it has come to its end; at once when it has already.
 * @returns the phase at the end
 * @throws {CliError} when the Canary is deleted meanwhile
 */
export async function watchCanary(
  api: Pick<KubeApi, 'watch' | 'get'>,
  first: Canary,
  tell: (line: string) => void,
): Promise<CanaryPhase | undefined> {
  const { name, namespace } = first.metadata;
  let seen = first;
  const busy = (canary: Canary) => !ENDS.has(canary.status?.phase);
  if (!busy(first)) return first.status?.phase;
  for (;;) {
    const resourceVersion = seen.metadata.resourceVersion ?? '';
    try {
      for await (const event of api.watch<Canary>(CANARY, {
        namespace,
        fieldSelector: `metadata.name=${name}`,
        resourceVersion,
      })) {
        if (event.type === 'DELETED') throw new CliError(`Canary ${name} was deleted`);
        if (event.type === 'BOOKMARK') continue;
        const line = changeLine(seen, event.object);
        seen = event.object;
        if (line !== undefined) tell(line);
        if (!busy(seen)) return seen.status?.phase;
      }
    } catch (error) {
      // The version is too old to go on from: what is there now is what counts.
      if (!isGone(error)) throw error;
      seen = await api.get<Canary>(CANARY, { namespace, name });
      if (!busy(seen)) return seen.status?.phase;
    }
  }
}

function changeLine({ status: before = {} }: Canary, { status = {} }: Canary): string | undefined {
  const message = messageOf(status);
  if (before.phase === status.phase && before.weight === status.weight && messageOf(before) === message)
    return undefined;
  const time = new Date().toTimeString().slice(0, 8);
  return `${paint('dim', time)}  ${paintPhase(status.phase ?? 'Unknown')}  ${status.weight ?? 0}%  ${message}`;
}
