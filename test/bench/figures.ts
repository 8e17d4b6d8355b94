import type { Measurement } from './messages.ts';
import type { BenchResult } from './result.ts';

/** The value that a share of all values does not exceed; 0 without values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** Three significant digits. */
export function round(value: number): number {
  return Number(value.toPrecision(3));
}

/** What was spent between two measurements, on each of so many changes. */
export function differences(bench: string, before: Measurement, after: Measurement, changes: number): BenchResult[] {
  const per = (value: number): number => round(value / changes);
  const cpu = after.cpuSeconds - before.cpuSeconds;
  const bytes = after.bytes - before.bytes;
  return [
    { bench, figure: 'CPU', value: per(cpu), unit: 's' },
    { bench, figure: 'CPU per MB sent', value: round((cpu * 1000) / (bytes / 1e6)), unit: 'ms' },
    { bench, figure: 'bytes', value: per(bytes), unit: 'B' },
    { bench, figure: 'resources sent', value: per(after.resources - before.resources), unit: '' },
    { bench, figure: 'resources encoded', value: per(after.encoded - before.encoded), unit: '' },
    { bench, figure: 'longest turn of the event loop (CPU)', value: round(after.longestTurnMs), unit: 'ms' },
  ];
}
