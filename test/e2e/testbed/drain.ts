/** Milliseconds requests are still served after SIGTERM, as a well-behaved application does. */
const DRAIN_MS = Number(process.env.DRAIN_SECONDS ?? 5) * 1000;

let draining = false;

/** True from SIGTERM on: not ready, and every HTTP/1.1 connection is closed after its answer. */
export const isDraining = (): boolean => draining;

/** Time for what is still under way when connections are closed. */
const LAST_MS = 2000;

/** Some seconds after SIGTERM calls `close`, which lets what is under way end, and then ends the process. */
export function drainOnTerm(close: () => void): void {
  process.once('SIGTERM', () => {
    draining = true;
    setTimeout(() => {
      close();
      setTimeout(() => process.exit(0), LAST_MS);
    }, DRAIN_MS);
  });
}
