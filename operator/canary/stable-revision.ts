import type { CanaryStatus } from '../../api/canary-status.ts';
import type { Draft } from './draft.ts';
import type { RevisionView, TargetView } from './observation.ts';

/** Revisions, the stable one included, that need no analysis when they come back. */
const REMEMBERED = 3;

/** Makes sure that the status names a stable revision that is there. @returns false while an ordinary rollout decides */
export function resolveStable(draft: Draft, target: TargetView, current: string): boolean {
  const { state } = draft;
  const known = state.stableRevision;
  const wasReady = draft.before('TargetReady')?.status === 'True';
  if (known !== undefined && target.revisions.has(known)) {
    if (known === current) return true;
    // Of no pods at all any revision is rolled out.
    if (target.rolledOut && target.replicas > 0 && !(state.ungatedRevisions ?? []).includes(current)) {
      draft.event('Warning', 'Unanalysed', `revision ${current} was rolled out whole without an analysis`);
      setStable(state, current);
      return true;
    }
    adoptServing(draft, target, known, current);
    // A rollout that began before the target was prepared has no gates: it is none of ours.
    if (wasReady || (target.revisions.get(current)?.pods.held ?? 0) > 0) return true;
    draft.clear('stableRevision');
  }
  const found = findStable(target, current);
  if (found === undefined) return false;
  setStable(state, found);
  return true;
}

/** Pods that came without gates have replaced the stable revision whole, and the template has gone on since: what serves is stable. */
function adoptServing(draft: Draft, target: TargetView, known: string, current: string): void {
  // One that is released already goes on to its own end.
  if (draft.state.ungatedRevisions?.includes(current)) return;
  const stable = target.revisions.get(known);
  if (!stable || isPresent(stable)) return;
  const serving = [...target.revisions.values()].filter(({ revision, ready }) => revision !== current && ready > 0);
  const [most] = serving.sort(mostReadyFirst);
  if (!most) return;
  draft.event('Warning', 'Unanalysed', `revision ${most.revision} has replaced ${known} without an analysis`);
  setStable(draft.state, most.revision);
}

/**
 * Finds the stable revision where the status does not tell (a new Canary, or a status that was wiped).
 * @param current revision of the present template
 * @returns undefined while a rollout that nobody holds is under way: its end decides
 */
function findStable(target: TargetView, current: string): string | undefined {
  const present = [...target.revisions.values()].filter(({ pods }) => pods.total > 0);
  if (target.rolledOut || present.every(({ revision }) => revision === current)) return current;
  if ((target.revisions.get(current)?.pods.held ?? 0) === 0) return undefined;
  // Pods of the current revision are held back, so somebody had called another one stable.
  const others = present.filter(({ revision, ready }) => revision !== current && ready > 0);
  const whole = others.filter(({ ready, replicas }) => ready >= replicas).sort(newestFirst)[0];
  const most = others.sort(mostReadyFirst)[0];
  // Where nothing else serves, to hold the current one back would be an outage.
  return (whole ?? most)?.revision ?? current;
}

/** Makes a revision the stable one and remembers it as such. */
export function setStable(state: CanaryStatus, revision: string): void {
  remember(state, revision, state.stableRevision);
  state.stableRevision = revision;
  setUngated(state);
}

/** A promotion that is overtaken: whichever of the two released revisions can serve with more pods goes on as stable. */
export function adoptReleased(state: CanaryStatus, target: TargetView, released: string): void {
  const [stable, other] = [state.stableRevision, released].map((revision) => target.revisions.get(revision ?? ''));
  remember(state, released, state.stableRevision);
  const isWider = (other?.pods.eligible ?? 0) > (stable?.pods.eligible ?? 0);
  // What has no pod is nothing to try another revision against; pods that just come up are.
  if (isWider || (!isPresent(stable) && isPresent(other))) state.stableRevision = released;
}

/** Whether a revision has pods, or is to have some. */
export function isPresent(view: RevisionView | undefined): boolean {
  return view !== undefined && (view.pods.total > 0 || view.replicas > 0);
}

function remember(state: CanaryStatus, ...revisions: readonly (string | undefined)[]): void {
  state.recentRevisions = unique([...revisions, ...(state.recentRevisions ?? [])]).slice(0, REMEMBERED);
}

/** Lists the revisions whose gates stand open: the stable and recently stable ones, and those given here. */
export function setUngated(state: CanaryStatus, ...more: readonly (string | undefined)[]): void {
  state.ungatedRevisions = unique([state.stableRevision, ...more, ...(state.recentRevisions ?? [])]);
}

function newestFirst(a: RevisionView, b: RevisionView): number {
  return b.ordinal - a.ordinal;
}

function mostReadyFirst(a: RevisionView, b: RevisionView): number {
  return b.ready - a.ready || newestFirst(a, b);
}

function unique(revisions: readonly (string | undefined)[]): string[] {
  return [...new Set(revisions.filter((revision) => revision !== undefined && revision !== ''))] as string[];
}
