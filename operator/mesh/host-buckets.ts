import { isWildcard } from './hostname.ts';
import type { Hostname } from './snapshot.ts';

/** Values by host, exact or with a wildcard in front (`*.shop.example`, `*-eu.shop.example`, `*`), found by what the hosts cover. */
export class HostBuckets<Value> {
  readonly #exact = new Map<Hostname, Value>();
  /** Length → host → value. */
  readonly #wildcards = new Map<number, Map<Hostname, Value>>();
  /** Lengths of the wildcards, the longest first. */
  #lengths: readonly number[] = [];

  get isEmpty(): boolean {
    return this.#exact.size === 0 && this.#wildcards.size === 0;
  }

  /** The value of exactly this host. */
  get(host: Hostname): Value | undefined {
    return isWildcard(host) ? this.#wildcards.get(host.length)?.get(host) : this.#exact.get(host);
  }

  /** Puts the value of a host, or removes it with undefined. */
  set(host: Hostname, value: Value | undefined): void {
    if (!isWildcard(host)) {
      put(this.#exact, host, value);
      return;
    }
    const peers = this.#wildcards.get(host.length) ?? new Map<Hostname, Value>();
    put(peers, host, value);
    put(this.#wildcards, host.length, peers.size === 0 ? undefined : peers);
    if (this.#lengths.length !== this.#wildcards.size) {
      this.#lengths = [...this.#wildcards.keys()].sort((a, b) => b - a);
    }
  }

  /** Values of the hosts that cover a hostname, the most specific first. */
  *covering(hostname: Hostname): Generator<Value> {
    const exact = this.#exact.get(hostname);
    if (exact !== undefined) yield exact;
    for (const length of this.#lengths) {
      // The wildcard stands for anything, so all that counts is how the hostname ends.
      const rest = length - 1;
      if (rest > hostname.length) continue;
      const value = this.#wildcards.get(length)?.get(`*${hostname.slice(hostname.length - rest)}`);
      if (value !== undefined) yield value;
    }
  }
}

function put<Key, Value>(map: Map<Key, Value>, key: Key, value: Value | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}
