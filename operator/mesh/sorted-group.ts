/** Things by key, in an order; sorted when they are asked for, since very many may come at once. */
export class SortedGroup<Item extends { readonly key: string }> {
  private readonly items = new Map<string, Item>();
  private readonly compare: (a: Item, b: Item) => number;
  private sorted: readonly Item[] | undefined;

  constructor(compare: (a: Item, b: Item) => number) {
    this.compare = compare;
  }

  get size(): number {
    return this.items.size;
  }

  /** All of them, in order. */
  get list(): readonly Item[] {
    this.sorted ??= [...this.items.values()].sort(this.compare);
    return this.sorted;
  }

  put(item: Item): void {
    this.items.set(item.key, item);
    this.sorted = undefined;
  }

  delete(key: string): void {
    if (this.items.delete(key)) this.sorted = undefined;
  }
}
