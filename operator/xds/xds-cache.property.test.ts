import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { MeshSnapshot } from '../mesh/snapshot.ts';
import type { ProxyIdentity, ResourceChange, XdsResource } from './resource.ts';
import { deltaBetween } from './testing/mesh-fixture.ts';
import { applyEdits, batches, PROXIES, snapshots } from './testing/world-edits.ts';
import { XdsCache } from './xds-cache.ts';

type Content = Record<string, { version: string; bytes: string }>;

function contentFor(cache: XdsCache, proxy: ProxyIdentity): Content {
  const resources = cache.typeUrls.flatMap((typeUrl) => [...cache.wildcard(proxy, typeUrl).values()]);
  const entry = ({ typeUrl, name, version, bytes }: XdsResource) =>
    [`${typeUrl} ${name}`, { version, bytes: Buffer.from(bytes).toString('hex') }] as const;
  return Object.fromEntries(resources.map(entry).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function versionsOf(content: Content): Record<string, string> {
  return Object.fromEntries(Object.entries(content).map(([key, { version }]) => [key, version]));
}

/** A proxy that looks at nothing but what it was told of since it joined, as streams do. */
class HeldByProxy {
  readonly versions: Map<string, string>;
  private readonly heard = new Map<string, Set<string>>();

  constructor(content: Content) {
    this.versions = new Map(Object.entries(versionsOf(content)));
  }

  hear(change: ResourceChange, proxy: ProxyIdentity): void {
    for (const [typeUrl, names] of change.affected(proxy) ?? []) {
      this.heard.set(typeUrl, new Set([...(this.heard.get(typeUrl) ?? []), ...names]));
    }
  }

  look(cache: XdsCache, proxy: ProxyIdentity): void {
    for (const [typeUrl, names] of this.heard) {
      for (const name of names) {
        const newest = cache.inWildcard(proxy, typeUrl, name) ? cache.lookup(proxy, typeUrl, name) : undefined;
        if (newest === undefined) this.versions.delete(`${typeUrl} ${name}`);
        else this.versions.set(`${typeUrl} ${name}`, newest.version);
      }
    }
    this.heard.clear();
  }
}

function freshCache(snapshot: MeshSnapshot): XdsCache {
  const cache = new XdsCache();
  cache.update(snapshot, deltaBetween(undefined, snapshot));
  return cache;
}

describe('XdsCache', () => {
  test('gives after any sequence of updates what a new cache gives for the last snapshot', () => {
    fc.assert(
      fc.property(snapshots, fc.array(batches, { minLength: 1, maxLength: 12 }), (start, sequence) => {
        const cache = freshCache(start);
        let before = start;
        for (const batch of sequence) {
          const snapshot = applyEdits(before, batch);
          cache.update(snapshot, deltaBetween(before, snapshot));
          before = snapshot;
          for (const proxy of PROXIES) contentFor(cache, proxy);
        }
        const fresh = freshCache(before);
        for (const proxy of PROXIES) expect(contentFor(cache, proxy)).toEqual(contentFor(fresh, proxy));
      }),
      { numRuns: 20 },
    );
  });

  test('tells every proxy what differs for it, whoever has looked at what before', () => {
    const step = fc.record({ batch: batches, look: fc.subarray(PROXIES), join: fc.subarray(PROXIES) });
    fc.assert(
      fc.property(snapshots, fc.array(step, { minLength: 1, maxLength: 6 }), (start, steps) => {
        const cache = freshCache(start);
        const held = new Map<ProxyIdentity, HeldByProxy>();
        cache.onChange((change) => {
          for (const [proxy, one] of held) one.hear(change, proxy);
        });
        let mesh = start;
        for (const { batch, look, join } of steps) {
          for (const proxy of join) held.set(proxy, new HeldByProxy(contentFor(cache, proxy)));
          const next = applyEdits(mesh, batch);
          cache.update(next, deltaBetween(mesh, next));
          mesh = next;
          for (const proxy of look) held.get(proxy)?.look(cache, proxy);
        }
        const fresh = freshCache(mesh);
        for (const [proxy, one] of held) {
          one.look(cache, proxy);
          expect(Object.fromEntries(one.versions)).toEqual(versionsOf(contentFor(fresh, proxy)));
        }
      }),
      { numRuns: 60 },
    );
  });

  test('gives equal bytes for equal versions, whatever the snapshot', () => {
    const bytesOf = new Map<string, string>();
    fc.assert(
      fc.property(snapshots, (snapshot) => {
        for (const proxy of PROXIES) {
          for (const [name, { version, bytes }] of Object.entries(contentFor(freshCache(snapshot), proxy))) {
            const key = `${name} ${version}`;
            expect(bytesOf.get(key) ?? bytes).toBe(bytes);
            bytesOf.set(key, bytes);
          }
        }
      }),
      { numRuns: 40 },
    );
  });
});
