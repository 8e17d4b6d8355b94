import { monitorEventLoopDelay } from 'node:perf_hooks';
import { TurnWatch } from './turn-watch.ts';

/** Loaded before a program that knows nothing of benches: tells what it costs over Node's message channel, and ends with that. */

/** What a program has spent. */
export interface Spent {
  /** Since its start. */
  readonly cpuSeconds: number;
  readonly rss: number;
  /** Bytes, with what is yet to be collected. */
  readonly heapUsed: number;
  /** Delay of the event loop since the last time it was asked, of which 99 % of its turns had less, in ms. */
  readonly delayP99Ms: number;
  /** CPU of the longest turn since then, in ms. */
  readonly longestTurnMs: number;
}

const delay = monitorEventLoopDelay({ resolution: 10 });
let turns: TurnWatch | undefined;

function spent(): Spent {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  // It costs a little, so that only those pay who ask.
  turns ??= new TurnWatch();
  delay.enable();
  const answer = {
    cpuSeconds: (user + system) / 1e6,
    rss,
    heapUsed,
    delayP99Ms: delay.percentile(99) / 1e6,
    longestTurnMs: turns.take(),
  };
  delay.reset();
  return answer;
}

process.on('message', ({ kind }: { readonly kind: 'memory' | 'spent' }) => {
  if (kind === 'spent') {
    process.send?.(spent());
    return;
  }
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  process.send?.({ heap: heapUsed + external });
});
process.on('disconnect', () => process.exit(0));
