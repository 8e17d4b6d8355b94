import type { ObjectRef } from '../mesh/object-ref.ts';

/** Goes over all policies again and again, each time over as many as a budget is for. */
export class ResyncRound {
  #left: readonly ObjectRef[] = [];

  /**
   * The next ones of a round; a new round begins when one has ended.
   * @param all what a new round is made of
   * @param budget the sum of costs that is not exceeded, but for the last one
   */
  next(all: readonly ObjectRef[], costOf: (ref: ObjectRef) => number, budget: number): readonly ObjectRef[] {
    const from = this.#left.length === 0 ? all : this.#left;
    const taken: ObjectRef[] = [];
    let cost = 0;
    for (const ref of from) {
      if (cost >= budget) break;
      cost += costOf(ref);
      taken.push(ref);
    }
    this.#left = from.slice(taken.length);
    return taken;
  }
}
