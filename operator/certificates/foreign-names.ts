/** So many names are remembered of one proxy: whoever asks for more is known well enough. */
const MAX_NAMES = 100;

/** Names of secrets that proxies asked for and may not have, each counted once for each proxy, however often it asks. */
export class ForeignNames {
  count = 0;
  readonly #names = new Map<string, Set<string>>();

  /** Whether the proxy asks for the name for the first time. */
  isNew(uid: string, name: string): boolean {
    const names = this.#names.get(uid) ?? new Set();
    if (names.has(name) || names.size >= MAX_NAMES) return false;
    this.#names.set(uid, names.add(name));
    this.count += 1;
    return true;
  }

  forget(uid: string): void {
    this.#names.delete(uid);
  }
}
