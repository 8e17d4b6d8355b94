import type { CanaryStatus } from '../../api/canary-status.ts';
import type { RevisionView, TargetView } from './observation.ts';

/** Revisions, the stable one included, that need no analysis when they come back. */
const REMEMBERED = 3;

/**
 * Finds the stable revision where the status does not tell (a new Canary, or a status that was wiped).
 * @param current revision of the present template
 * @returns undefined while a rollout that nobody holds is under way: its end decides
 */
export function findStable(target: TargetView, current: string): string | undefined {
  const present = [...target.revisions.values()].filter(({ pods }) => pods.total > 0);
  if (target.rolledOut || present.every(({ revision }) => revision === current)) return current;
  if ((target.revisions.get(current)?.pods.held ?? 0) === 0) return undefined;
  // Pods of the current revision are held back, so somebody had called another one stable.
  const others = present.filter(({ revision, ready }) => revision !== current && ready > 0);
  const whole = others.filter(({ ready, replicas }) => ready >= replicas).sort(newestFirst)[0];
  const most = others.sort((a, b) => b.ready - a.ready || newestFirst(a, b))[0];
  // Where nothing else serves, to hold the current one back would be an outage.
  return (whole ?? most)?.revision ?? current;
}

/** Makes a revision the stable one and remembers it as such. */
export function setStable(state: CanaryStatus, revision: string): void {
  const recent = [revision, state.stableRevision, ...(state.recentRevisions ?? [])];
  state.stableRevision = revision;
  state.recentRevisions = unique(recent).slice(0, REMEMBERED);
  setUngated(state);
}

/** Lists the revisions whose gates stand open: the stable and recently stable ones, and those given here. */
export function setUngated(state: CanaryStatus, ...more: readonly (string | undefined)[]): void {
  state.ungatedRevisions = unique([state.stableRevision, ...more, ...(state.recentRevisions ?? [])]);
}

function newestFirst(a: RevisionView, b: RevisionView): number {
  return b.ordinal - a.ordinal;
}

function unique(revisions: readonly (string | undefined)[]): string[] {
  return [...new Set(revisions.filter((revision) => revision !== undefined && revision !== ''))] as string[];
}
