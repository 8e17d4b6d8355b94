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

/**
 * The most that a chance may be when so few of `tries` came true: with a greater one, so few come in less than 5 % of all cases (Clopper and Pearson, "The use
 * of confidence or fiducial limits illustrated in the case of the binomial", 1934; the upper bound alone).
 */
export function mostLikely(count: number, tries: number): number {
  let [low, high] = [0, 1];
  if (count >= tries) return 1;
  for (let nth = 0; nth < HALVINGS; nth++) {
    const middle = (low + high) / 2;
    if (atMost(count, tries, middle) > UNLIKELY) low = middle;
    else high = middle;
  }
  return high;
}

const HALVINGS = 40;
const UNLIKELY = 0.05;

/** The probability of at most `count`. */
function atMost(count: number, tries: number, chance: number): number {
  let logarithm = tries * Math.log1p(-chance);
  let sum = Math.exp(logarithm);
  for (let nth = 1; nth <= count; nth++) {
    logarithm += Math.log((tries - nth + 1) / nth) + Math.log(chance) - Math.log1p(-chance);
    sum += Math.exp(logarithm);
  }
  return sum;
}
