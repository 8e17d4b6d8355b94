import type { Growth } from '../telemetry/history/traffic-history.ts';
import { type CountedPorts, countedCompleteness } from './completeness.ts';

/** What pools refused, where somebody else has the calls. */
export interface CountedPools {
  /** In the last so many seconds. @param now ms since the epoch */
  overflows(seconds: number, now: number): { readonly growths: readonly Growth[]; readonly complete: boolean };
}

/** As this operator counted it itself. */
export function countedPools(ports: CountedPorts): CountedPools {
  return {
    overflows: (seconds, now) => {
      const { history } = ports;
      const window = history.slices.window(now, seconds);
      const growths = [...history.sum(window)].filter(
        ({ counter }) => counter.kind === 'overflow' || counter.kind === 'own overflow',
      );
      return { growths, complete: countedCompleteness(ports, window.since, now).complete };
    },
  };
}
