import { setTimeout as sleep } from 'node:timers/promises';
import type { TrustRotation, TrustRotationPhase } from '../../api/trust-rotation.ts';
import { TRUST_ROTATION } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { CliError } from '../cli-error.ts';

const ENDS: readonly (TrustRotationPhase | undefined)[] = ['Complete', 'Aborted', 'Refused'];
const POLL_MS = 1000;
/** In which the operator takes a rotation up. */
const UNHEARD_MS = 30_000;

/** Whether a rotation has come to its end. */
export const isOver = ({ status }: TrustRotation): boolean => ENDS.includes(status?.phase);

/** What it waits for, or how it ended. */
export function messageOf({ status }: TrustRotation): string {
  return (
    status?.conditions?.find(({ type }) => type === 'Complete')?.message ?? 'the operator has not looked at it yet'
  );
}

/** One line on where a rotation stands. */
export function rotationLine(rotation: TrustRotation): string {
  const { phase = 'Pending', progress } = rotation.status ?? {};
  return `${phase}${progress === undefined || isOver(rotation) ? '' : ` (${progress})`}: ${messageOf(rotation)}`;
}

/**
 * Prints each change of a rotation until its end.
 * @param timeoutMs then it is given up; the rotation goes on
 * @param aborting whether going back is what is wanted
 * @throws {CliError} when it ends otherwise than wanted
 */
export async function followRotation(
  api: Pick<KubeApi, 'get'>,
  name: string,
  timeoutMs: number,
  aborting: boolean,
): Promise<void> {
  let last = '';
  for (const start = Date.now(); ; await sleep(POLL_MS)) {
    const rotation = await api.get<TrustRotation>(TRUST_ROTATION, { name });
    const line = rotationLine(rotation);
    if (line !== last) console.log(`${new Date().toISOString().slice(11, 19)}  ${line}`);
    last = line;
    const phase = rotation.status?.phase;
    if (isOver(rotation)) {
      if (phase === (aborting ? 'Aborted' : 'Complete')) return;
      throw new CliError(`TrustRotation ${name} ended ${phase}: ${messageOf(rotation)}`);
    }
    const waited = Date.now() - start;
    if (phase === undefined && waited > UNHEARD_MS) {
      throw new CliError('the operator has not looked at it in 30 s; it stays to be done', 'heddle check', 3);
    }
    if (waited > timeoutMs) throw new CliError(`it is not over yet: ${line}`, 'heddle cert status --watch follows it');
  }
}
