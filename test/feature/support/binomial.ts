/**
 * How many of `tries` may come out one way when each does with probability `chance`, and more or fewer would happen by chance less than once in a
 * billion test runs. The bounds are those of the distribution itself, summed up, and no approximation.
 */
export function credibleRange(tries: number, chance: number): { readonly least: number; readonly most: number } {
  return { least: leastCredible(tries, chance), most: tries - leastCredible(tries, 1 - chance) };
}

/** Half of one in a billion, for each side. */
const TAIL = 5e-10;

function leastCredible(tries: number, chance: number): number {
  if (chance >= 1) return tries;
  // The logarithm of the probability of exactly `count`.
  let logarithm = tries * Math.log1p(-chance);
  let below = Math.exp(logarithm);
  let count = 0;
  while (below < TAIL) {
    count += 1;
    logarithm += Math.log((tries - count + 1) / count) + Math.log(chance) - Math.log1p(-chance);
    below += Math.exp(logarithm);
  }
  return count;
}
