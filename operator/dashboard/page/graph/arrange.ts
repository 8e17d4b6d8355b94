import dagre from '@dagrejs/dagre';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** x and y are those of the upper left corner. */
export interface Box extends Point, Size {}

export interface Thing extends Size {
  readonly id: string;
}

export interface Link {
  readonly id: string;
  readonly source: string;
  readonly destination: string;
}

/**
 * `right`: callers left of whom they call, in layers. `down`: above. `grid`: in the same order, but in columns of equal length: for more calls than layers
 * can make clear.
 */
export type Style = 'right' | 'down' | 'grid';

export interface Arrangement {
  readonly size: Size;
  readonly boxes: ReadonlyMap<string, Box>;
  /** Points on the way of links, between others' boxes. */
  readonly bends: ReadonlyMap<string, readonly Point[]>;
}

/** Room between things, along the way of calls and across it: figures of calls stand there. */
const GAPS: Readonly<Record<Style, { readonly along: number; readonly across: number }>> = {
  right: { along: 136, across: 26 },
  down: { along: 74, across: 30 },
  grid: { along: 112, across: 30 },
};

/** Room for calls within the last column of a grid, which take a bow. */
const BOW = 40;

/** Places things so that calls go one way. What nothing leads to or from stands below. @param room its shape decides how many columns a grid has */
export function arrange(things: readonly Thing[], links: readonly Link[], style: Style, room: Size): Arrangement {
  const ids = new Set(things.map(({ id }) => id));
  const real = links.filter(
    ({ source, destination }) => source !== destination && ids.has(source) && ids.has(destination),
  );
  if (style === 'grid') return gridOf(things, real, room);
  const linked = new Set(real.flatMap(({ source, destination }) => [source, destination]));
  const { along, across } = GAPS[style];
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: style === 'right' ? 'LR' : 'TB', nodesep: across, ranksep: along, edgesep: 16 });
  for (const { id, width, height } of things) if (linked.has(id)) graph.setNode(id, { width, height });
  for (const { id, source, destination } of real) graph.setEdge(source, destination, {}, id);
  if (linked.size > 0) dagre.layout(graph);
  const boxes = new Map<string, Box>();
  for (const { id, width, height } of things) {
    if (!linked.has(id)) continue;
    const { x, y } = graph.node(id) as Point;
    boxes.set(id, { x: Math.round(x - width / 2), y: Math.round(y - height / 2), width, height });
  }
  placeAlone(
    things.filter(({ id }) => !linked.has(id)),
    boxes,
    across,
    room,
  );
  const bends = new Map<string, readonly Point[]>();
  for (const edge of graph.edges()) {
    const { points = [] } = graph.edge(edge.v, edge.w, edge.name) as { points?: Point[] };
    if (edge.name !== undefined) bends.set(edge.name, points.slice(1, -1));
  }
  return { boxes, bends, size: sizeOf(boxes) };
}

/** How large a size is drawn in a room, at most as large as it is. */
export function scaleIn({ width, height }: Size, room: Size): number {
  return Math.min(1, room.width / Math.max(1, width), room.height / Math.max(1, height));
}

function gridOf(things: readonly Thing[], links: readonly Link[], room: Size): Arrangement {
  const order = ranked(things, links);
  let best: ReadonlyMap<string, Box> = new Map();
  let scale = -1;
  for (let columns = 1; columns <= Math.min(order.length, 40); columns++) {
    const boxes = inColumns(order, columns);
    const own = scaleIn(sizeOf(boxes), room);
    if (own > scale + 1e-9) [best, scale] = [boxes, own];
  }
  const { width, height } = sizeOf(best);
  return { boxes: best, bends: new Map(), size: { width: width + (links.length > 0 ? BOW : 0), height } };
}

function inColumns(order: readonly Thing[], columns: number): Map<string, Box> {
  const { along, across } = GAPS.grid;
  const room = order.reduce((sum, { height }) => sum + height + across, 0) / columns;
  const boxes = new Map<string, Box>();
  let [x, y, widest] = [0, 0, 0];
  for (const { id, width, height } of order) {
    if (y > 0 && y + height / 2 > room) [x, y, widest] = [x + widest + along, 0, 0];
    boxes.set(id, { x, y, width, height });
    y += height + across;
    widest = Math.max(widest, width);
  }
  return boxes;
}

/** Callers before whom they call, by the longest way to each; what closes a circle counts for nothing. */
function ranked(things: readonly Thing[], links: readonly Link[]): Thing[] {
  const callers = new Map<string, string[]>();
  for (const { source, destination } of links) callers.set(destination, [...(callers.get(destination) ?? []), source]);
  const ranks = new Map<string, number>();
  const visiting = new Set<string>();
  const rankOf = (id: string): number => {
    const known = ranks.get(id);
    if (known !== undefined || visiting.has(id)) return known ?? 0;
    visiting.add(id);
    const rank = Math.max(-1, ...(callers.get(id) ?? []).map(rankOf)) + 1;
    visiting.delete(id);
    ranks.set(id, rank);
    return rank;
  };
  const linked = new Set(links.flatMap(({ source, destination }) => [source, destination]));
  return things
    .map((thing) => ({ thing, rank: linked.has(thing.id) ? rankOf(thing.id) : Number.MAX_SAFE_INTEGER }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ thing }) => thing);
}

function placeAlone(alone: readonly Thing[], boxes: Map<string, Box>, gap: number, room: Size): void {
  if (alone.length === 0) return;
  const { width: right, height: bottom } = sizeOf(boxes);
  const widest = Math.max(...alone.map((thing) => thing.width));
  const square = Math.ceil(Math.sqrt((alone.length * room.width) / room.height / 2)) * (widest + gap);
  const limit = Math.max(right, square);
  let [x, y, tallest] = [0, bottom === 0 ? 0 : bottom + gap, 0];
  for (const { id, width, height } of alone) {
    if (x > 0 && x + width > limit) [x, y, tallest] = [0, y + tallest + gap, 0];
    boxes.set(id, { x, y, width, height });
    x += width + gap;
    tallest = Math.max(tallest, height);
  }
}

function sizeOf(boxes: ReadonlyMap<string, Box>): Size {
  let [width, height] = [0, 0];
  for (const box of boxes.values())
    [width, height] = [Math.max(width, box.x + box.width), Math.max(height, box.y + box.height)];
  return { width, height };
}
