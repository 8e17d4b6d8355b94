/**
 * Watches for the longest turn of the event loop, in ms of CPU of its thread: what other processes take from us on a busy
 * machine is not ours to answer for.
 */
export class TurnWatch {
  private last = threadCpuMs();
  private longest = 0;

  constructor() {
    const tick = (): void => {
      const now = threadCpuMs();
      this.longest = Math.max(this.longest, now - this.last);
      this.last = now;
    };
    setInterval(tick, 1).unref();
  }

  /** The longest turn since the last call. */
  take(): number {
    const longest = this.longest;
    this.longest = 0;
    this.last = threadCpuMs();
    return longest;
  }
}

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
