const WINDOW_MS = 600_000;

/** The last ten minutes, in ms since the epoch, or the time since the operator began to listen, when that is less. */
export interface ReportWindow {
  readonly since: number;
  readonly until: number;
  /** Its length, as a sentence has it. */
  readonly minutes: number;
}

/** @param startedAt when the operator began to listen; both in ms since the epoch */
export function reportWindow(startedAt: number, now: number): ReportWindow {
  const since = Math.max(now - WINDOW_MS, startedAt);
  return { since, until: now, minutes: Math.max(1, Math.round((now - since) / 60_000)) };
}
