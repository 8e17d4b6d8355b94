import type { CanaryStatus } from '../../api/canary-status.ts';

/** What a new revision gets of the requests. The mesh reads it from the status. */
export interface Side {
  /** Percent of the requests. */
  readonly weight: number;
  /** Whether it gets those that `analysis.match` matches. */
  readonly matched: boolean;
  /** Percent of the requests that it gets copies of. */
  readonly mirror: number;
}

/** What the revision gets now. */
export function sideOf({ weight = 0, matched = false, mirrorWeight: mirror = 0 }: CanaryStatus): Side {
  return { weight, matched, mirror };
}

/** Says what the revision is to get. */
export function setSide(state: CanaryStatus, { weight, matched, mirror }: Side): void {
  state.weight = weight;
  if (matched) state.matched = true;
  else delete state.matched;
  if (mirror > 0) state.mirrorWeight = mirror;
  else delete state.mirrorWeight;
}

/** From here on the revision gets nothing: no share, no match, no copy; nor do those with its cookie. */
export function cutOff(state: CanaryStatus): void {
  setSide(state, { weight: 0, matched: false, mirror: 0 });
}

/** In words: `5 % of the requests`. */
export function describeSide({ weight, matched, mirror }: Side): string {
  if (matched) return 'the requests that match';
  if (mirror > 0) return `copies of ${mirror} % of the requests`;
  return weight > 0 ? `${weight} % of the requests` : 'no request yet';
}
