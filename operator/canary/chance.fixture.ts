/** Uniform in [0, 1), from a seed, so that a run is like the last (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** How many of so many come true; skips from one to the next. */
export function binomial(random: () => number, total: number, chance: number): number {
  if (chance <= 0) return 0;
  const scale = Math.log1p(-chance);
  let found = -1;
  for (let at = -1; at < total; found++) at += 1 + Math.floor(Math.log(1 - random()) / scale);
  return found;
}
