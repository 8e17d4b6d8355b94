/** What is known about a job while it runs. Times in seconds. */
export type JobProgress = {
  /** How long the whole job took last time, or is thought to take. */
  readonly expectedSeconds: number;
  readonly elapsedSeconds: number;
  /** The part of the work that is done, 0 to 1, where it can be counted. */
  readonly fraction: number;
};

/**
 * The seconds that remain: what is left of the time it took before, and, once the job is slower than that, an extrapolation of
 * the pace so far. Never negative; undefined when nothing can be said yet.
 */
export function remainingSeconds(job: JobProgress): number | undefined {
  if (job.fraction >= 1) return 0;
  const paced = job.fraction > 0 ? (job.elapsedSeconds * (1 - job.fraction)) / job.fraction : undefined;
  const left = job.expectedSeconds - job.elapsedSeconds;
  if (left > 0) return left;
  return paced;
}

/**
 * The part of the bar to fill, 0 to 0.99: halfway between the counted work and the share of the expected time, because neither is right alone
 * (compiled packages differ in size, and the last step of a build counts as none).
 */
export function shownFraction(job: JobProgress): number {
  const byTime = job.expectedSeconds > 0 ? Math.min(1, job.elapsedSeconds / job.expectedSeconds) : 1;
  return Math.max(0, Math.min(0.99, (job.fraction + byTime) / 2));
}

/** Seconds as people say them: `42 s`, `6 min 30 s`, `1 h 5 min`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 === 0 ? `${minutes} min` : `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
