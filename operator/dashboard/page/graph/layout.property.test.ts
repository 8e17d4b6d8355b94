import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { GraphEdge, GraphNode, GraphView } from '../../../../api/view/graph-view.ts';
import type { Box } from './arrange.ts';
import { curveOf } from './curve.ts';
import { layoutOf } from './layout.ts';
import { pictureOf } from './picture.ts';
import { type Direction, nextInDirection, nextInReading } from './walk.ts';

const golden = { requests: 60, perSecond: 1, failures: 0 };
const ROOM = { width: 1020, height: 730 };

const graph = fc
  .record({
    nodes: fc.array(fc.constantFrom('a', 'b', 'c', '~'), { minLength: 1, maxLength: 14 }),
    calls: fc.array(fc.tuple(fc.nat(13), fc.nat(13)), { maxLength: 30 }),
  })
  .map(({ nodes, calls }): GraphView => {
    const made = nodes.map(
      (namespace, index): GraphNode => ({
        id: `${namespace}/${index}`,
        kind: namespace === '~' ? 'host' : 'workload',
        namespace: namespace === '~' ? '' : namespace,
        name: `${index}`,
        services: [],
        pods: 1,
        connected: 1,
      }),
    );
    const edges = calls
      .map(([from, to]) => [made[from % made.length]?.id ?? '', made[to % made.length]?.id ?? ''])
      .map(
        ([source = '', destination = '']): GraphEdge => ({
          id: `${source}>${destination}`,
          source,
          destination,
          service: '',
          protocol: 'http',
          reporter: 'source',
          golden,
          mtls: 'all',
          revisions: [],
          answers: [],
        }),
      );
    return { at: 0, seconds: 60, source: 'operator', complete: true, missing: [], nodes: made, edges };
  });

const overlap = (a: Box, b: Box) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

test('whatever calls whom, each card has its place in its namespace, and none lies on another', () => {
  fc.assert(
    fc.property(graph, fc.subarray(['a', 'b', 'c', '~outside']), (view, open) => {
      const picture = pictureOf(view, { open: new Set(open) });
      const layout = layoutOf(picture, ROOM);
      const boxes = [...layout.items.values()];
      expect(boxes).toHaveLength(picture.items.length);
      expect(boxes.some((a, i) => boxes.some((b, j) => j > i && overlap(a, b)))).toBe(false);
      for (const item of picture.items) {
        const [box, group] = [layout.items.get(item.id), layout.groups.get(item.group)] as [Box, Box];
        expect(
          box.x >= group.x &&
            box.y >= group.y &&
            box.x + box.width <= group.x + group.width &&
            box.y + box.height <= group.y + group.height,
        ).toBe(true);
      }
      expect(new Set(layout.calls.keys())).toEqual(new Set(picture.calls.map(({ id }) => id)));
      for (const way of layout.calls.values()) expect(curveOf(way).d).not.toMatch(/NaN|undefined|Infinity/);
    }),
    { numRuns: 60 },
  );
});

test('no call is lost: each edge is a line, or stays within one card', () => {
  fc.assert(
    fc.property(graph, fc.subarray(['a', 'b', 'c', '~outside']), (view, open) => {
      const { calls } = pictureOf(view, { open: new Set(open) });
      const within = view.edges.filter(({ source, destination }) => {
        const [from, to] = [source, destination].map((id) => (id.startsWith('~') ? '~outside' : id.charAt(0)));
        return from === to && !open.includes(from ?? '');
      });
      expect(calls.reduce((sum, { edges }) => sum + edges.length, 0)).toBe(view.edges.length - within.length);
    }),
  );
});

test('arrows lead to a card in their direction, and page keys to every one in turn', () => {
  fc.assert(
    fc.property(graph, (view) => {
      const { items } = layoutOf(pictureOf(view, { open: 'all' }), ROOM);
      const middle = (id: string): number => {
        const { x = 0, width = 0 } = items.get(id) ?? {};
        return x + width / 2;
      };
      const [first = ''] = items.keys();
      const seen = new Set<string>();
      for (let id = first; !seen.has(id); id = nextInReading(items, id, 1) ?? '') {
        seen.add(id);
        expect(nextInReading(items, nextInReading(items, id, 1) ?? '', -1)).toBe(id);
        const [left, right] = (['left', 'right'] as Direction[]).map((to) => nextInDirection(items, id, to));
        if (left !== undefined) expect(middle(left)).toBeLessThan(middle(id));
        if (right !== undefined) expect(middle(right)).toBeGreaterThan(middle(id));
      }
      expect(seen.size).toBe(items.size);
    }),
    { numRuns: 60 },
  );
});
