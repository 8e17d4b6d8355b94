import type { ProxyTrust } from './trust-survey.ts';

/** When proxies were last seen with a stream. */
export class LastSeen {
  readonly #pods = new Map<string, number>();

  /**
   * Looks at all proxies. One that was never seen with a stream may have had one a moment ago.
   * @param now ms since 1970
   * @returns when the last of those without a stream was seen with one, in ms since 1970; 0 where all have one
   */
  look(proxies: Iterable<Pick<ProxyTrust, 'pod' | 'connected'>>, now: number): number {
    let missingSince = 0;
    const gone = new Set(this.#pods.keys());
    for (const { pod, connected } of proxies) {
      gone.delete(pod);
      const seen = connected ? now : (this.#pods.get(pod) ?? now);
      this.#pods.set(pod, seen);
      if (!connected) missingSince = Math.max(missingSince, seen);
    }
    for (const pod of gone) this.#pods.delete(pod);
    return missingSince;
  }
}
