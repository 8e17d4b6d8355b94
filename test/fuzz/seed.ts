/** A seed that is another each time. */
export function newSeed(): number {
  return 1 + Math.floor(Math.random() * 2 ** 31);
}

/** The seed of a test: another each time, and the same again where FUZZ_SEED is set. */
export const SEED = Number(process.env.FUZZ_SEED ?? newSeed());
