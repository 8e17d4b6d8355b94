import { describe, expect, test } from '@jest/globals';
import type { GraphEdge, GraphNode, GraphView } from '../../../../api/view/graph-view.ts';
import { pictureOf } from './picture.ts';

const golden = (failures = 0) => ({ requests: 60, perSecond: 1, failures });
const node = (id: string, more: Partial<GraphNode> = {}): GraphNode => ({
  id,
  kind: 'workload',
  namespace: id.split('/')[0] ?? '',
  name: id,
  services: [],
  pods: 1,
  connected: 1,
  served: golden(),
  ...more,
});
const edge = (source: string, destination: string, failures = 0, mtls: GraphEdge['mtls'] = 'all'): GraphEdge => ({
  id: `${source}>${destination}`,
  source,
  destination,
  service: '',
  protocol: 'http',
  reporter: 'source',
  golden: golden(failures),
  mtls,
  revisions: [],
  answers: [],
});
const view = (nodes: GraphNode[], edges: GraphEdge[]): GraphView => ({
  at: 0,
  seconds: 60,
  source: 'operator',
  complete: true,
  missing: [],
  nodes,
  edges,
});

const MESH = view(
  [node('a/1'), node('a/2'), node('b/1'), node('unknown', { kind: 'unknown', namespace: '' })],
  [edge('a/1', 'a/2', 30), edge('a/1', 'b/1', 6), edge('a/2', 'b/1', 0, 'none'), edge('unknown', 'a/1')],
);

describe('the picture of a mesh', () => {
  test('shows services one by one where they are few', () => {
    expect(
      pictureOf(MESH, {})
        .items.map(({ id }) => id)
        .sort(),
    ).toEqual(['a/1', 'a/2', 'b/1', 'unknown']);
  });

  test('takes the services of a namespace that is not open together, with the calls in it that fail', () => {
    const { items, calls } = pictureOf(MESH, { open: new Set(['b', '~callers']) });
    expect(items).toContainEqual(
      expect.objectContaining({ kind: 'namespace', id: 'namespace:a', failing: 1, served: golden2() }),
    );
    const joined = calls.find(({ id }) => id === 'namespace:a>b/1');
    expect(joined).toMatchObject({ golden: { requests: 120, failures: 6 }, mtls: 'some' });
  });

  test('lets a call that fails stand out also among many that do not', () => {
    const nodes = ['a/1', 'a/2', 'a/3', 'b/1'].map((id) => node(id));
    const mesh = view(nodes, [edge('a/1', 'b/1', 1), edge('a/2', 'b/1'), edge('a/3', 'b/1')]);
    const [call] = pictureOf(mesh, { open: new Set() }).calls;
    expect(call).toMatchObject({ golden: { requests: 180, failures: 1 }, severity: 'bad' });
  });

  test('opens nothing of many until it is asked for', () => {
    const many = view(
      Array.from({ length: 61 }, (_, index) => node(`n${index % 3}/${index}`)),
      [],
    );
    expect(pictureOf(many, {}).items).toHaveLength(3);
    expect(pictureOf(many, { open: 'all' }).items).toHaveLength(61);
    expect(pictureOf(many, { namespace: 'n1' }).items).toHaveLength(20);
  });

  test('shows of one service whom it calls and is called by, and nobody else', () => {
    const { items, calls } = pictureOf(MESH, { focus: 'a/2' });
    expect(items.map(({ id }) => id)).toEqual(['a/1', 'a/2', 'b/1']);
    expect(calls.map(({ id }) => id)).toEqual(['a/1>a/2', 'a/2>b/1']);
  });

  test('leaves calls out whose end it does not know', () => {
    expect(pictureOf(view([node('a/1')], [edge('a/1', 'gone/1')]), {}).calls).toEqual([]);
  });
});

function golden2() {
  return { requests: 120, perSecond: 2, failures: 0 };
}
