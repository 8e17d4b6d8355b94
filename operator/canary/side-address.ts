import { isAcknowledged } from './acknowledgement.ts';
import type { Draft } from './draft.ts';
import type { Release } from './release.ts';
import { giveUpIfOverdue } from './waiting.ts';

/**
 * Whether pre-rollout hooks can be asked: those who call the address of the new revision for them must be led there, or they would test the stable
 * one and say yes to it. What has been found once holds: the address does not move with the weight.
 */
export function isAddressed(draft: Draft, stage: Release): boolean {
  const { state } = draft;
  const { observation, spec, next } = stage;
  if (observation.addressed === undefined || state.addressed || state.tested || (state.weight ?? 0) > 0) return true;
  if (!spec.analysis.webhooks?.some(({ type }) => type === 'pre-rollout')) return true;
  const coverage = observation.addressed(next.revision);
  const { callers, acknowledged } = coverage;
  if (!isAcknowledged(draft, coverage)) {
    const have = `${acknowledged} of ${callers} sidecars have the address of revision ${next.revision}`;
    draft.enter('Progressing', `pre-rollout hooks wait: ${have}`);
    giveUpIfOverdue(draft, stage, have, 0);
    return false;
  }
  if (callers === 0) {
    draft.event(
      'Warning',
      'NoMeshClients',
      'no sidecar could call the address of the new revision: whatever hooks call by it is the stable revision',
    );
  }
  state.addressed = true;
  draft.progress();
  return true;
}
