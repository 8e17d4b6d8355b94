/** Calls back once after a while. Set anew, it forgets what it was set to. */
export class Alarm {
  private readonly ring: () => void;
  private timer: NodeJS.Timeout | undefined;

  constructor(ring: () => void) {
    this.ring = ring;
  }

  /** @param ms from now; 0 or less: it stays as it is */
  set(ms: number): void {
    if (ms <= 0) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(this.ring, ms + 1);
    this.timer.unref();
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}
