import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { KubeObject } from './object.ts';
import { Store } from './store.ts';

const pod = (name: string, version: number, node = 'n1'): KubeObject => ({
  metadata: { namespace: 'shop', name, uid: name, resourceVersion: String(version), labels: { node } },
});
const byNode = (object: KubeObject) => [object.metadata?.labels?.node ?? ''];

describe('Store', () => {
  test('an index follows changes and deletions', () => {
    const store = new Store().addIndex('node', byNode);
    store.set(pod('a', 1, 'n1'));
    store.set(pod('b', 2, 'n1'));
    store.set(pod('a', 3, 'n2'));
    store.delete('shop/b');
    expect(store.byIndex('node', 'n1')).toEqual([]);
    expect(store.byIndex('node', 'n2')).toHaveLength(1);
  });

  test('listeners see the whole new list when they hear of its first change', () => {
    const store = new Store();
    store.replace([pod('a', 1)]);
    const sizes: number[] = [];
    store.onChange(() => sizes.push(store.size));
    store.replace([pod('b', 2), pod('c', 3)]);
    expect(sizes).toEqual([2, 2, 2]);
  });

  test('a listener that throws hides nothing from the others', () => {
    const errors: unknown[] = [];
    const store = new Store((error) => errors.push(error));
    const seen: string[] = [];
    store.onChange(() => {
      throw new Error('broken');
    });
    store.onChange(({ key }) => seen.push(key));
    store.set(pod('a', 1));
    expect([seen, errors.length]).toEqual([['shop/a'], 1]);
  });

  test('the changes told always lead from the old content to the new', () => {
    const content = fc.uniqueArray(fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), version: fc.nat(3) }), {
      selector: ({ name }) => name,
    });
    fc.assert(
      fc.property(fc.array(content, { maxLength: 5 }), (contents) => {
        const store = new Store().addIndex('node', byNode);
        const mirror = new Map<string, KubeObject>();
        store.onChange(({ key, object, previous }) => {
          expect(mirror.get(key)).toBe(previous);
          if (object) mirror.set(key, object);
          else mirror.delete(key);
        });
        for (const items of contents) {
          store.replace(items.map(({ name, version }) => pod(name, version)));
          expect(mirror.size).toBe(items.length);
          for (const [key, object] of mirror) expect(store.get(key)).toBe(object);
          expect(store.byIndex('node', 'n1')).toHaveLength(items.length);
        }
      }),
    );
  });
});
