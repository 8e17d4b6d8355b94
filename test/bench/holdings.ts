import type { Holding } from './messages.ts';

/** How many proxies hold other than the one with their number among others. */
export function countDiffering(some: readonly Holding[], others: readonly Holding[]): number {
  const same = (one: Holding, other: Holding | undefined): boolean =>
    JSON.stringify(one.digest) === JSON.stringify(other?.digest);
  return some.filter((holding, index) => !same(holding, others[index])).length;
}
