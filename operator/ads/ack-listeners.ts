/** Acknowledgements within this time are told together, in ms. */
const COALESCE_MS = 20;

/** Who wants to know of which pods the report changed, told once for many at a time. */
export class AckListeners {
  private readonly listeners = new Set<(uids: ReadonlySet<string>) => void>();
  private changed = new Set<string>();

  /** Gives a function that ends it. */
  add(listener: (uids: ReadonlySet<string>) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  touch(uid: string): void {
    if (this.listeners.size === 0) return;
    if (this.changed.size === 0) setTimeout(() => this.tell(), COALESCE_MS).unref();
    this.changed.add(uid);
  }

  private tell(): void {
    const uids = this.changed;
    this.changed = new Set();
    for (const listener of this.listeners) listener(uids);
  }
}
