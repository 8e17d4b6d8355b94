/** Time as this room sees it, so that tests can make it pass. */
export interface Clock {
  /** Ms since the epoch. */
  now(): number;
  /** Calls back once after so many ms; gives a function that cancels it. */
  after(ms: number, callback: () => void): () => void;
}

/** The machine's clock; its timers keep no process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms).unref();
    return () => clearTimeout(timer);
  },
};
