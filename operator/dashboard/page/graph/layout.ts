import { type Arrangement, arrange, type Box, type Point, type Size, type Style, scaleIn } from './arrange.ts';
import { type Way, waysOf } from './ends.ts';
import type { Picture } from './picture.ts';

export interface Layout extends Size {
  readonly groups: ReadonlyMap<string, Box>;
  readonly items: ReadonlyMap<string, Box>;
  readonly calls: ReadonlyMap<string, Way>;
}

const CARD = { width: 188, height: 60 } as const;
const NAMESPACE_CARD = { width: 208, height: 76 } as const;
const PADDING = 18;
const TITLE = 26;
/** With more than these layers are neither quick to find nor clear to look at. */
const LAYERED = { cards: 70, calls: 90 } as const;

/** How much better than layers from left to right another style must be, to be taken. */
const FAVOUR: Readonly<Record<Style, number>> = { right: 1, down: 0.85, grid: 0.75 };

/** Places a picture: each namespace by itself, then the namespaces in the same way, in the style that shows it largest in a room. */
export function layoutOf(picture: Picture, room: Size): Layout {
  const styles: readonly Style[] =
    picture.items.length > LAYERED.cards || picture.calls.length > LAYERED.calls ? ['grid'] : ['right', 'down', 'grid'];
  let best: { readonly layout: Layout; readonly worth: number } | undefined;
  for (const inner of styles) {
    const groups = innersOf(picture, inner, room);
    for (const outer of styles) {
      const layout = joined(picture, groups, inner, outer, room);
      const worth = scaleIn(layout, room) * FAVOUR[inner] * FAVOUR[outer];
      if (best === undefined || worth > best.worth + 1e-9) best = { layout, worth };
    }
  }
  return best?.layout ?? { width: 0, height: 0, groups: new Map(), items: new Map(), calls: new Map() };
}

function innersOf(picture: Picture, style: Style, room: Size): Map<string, Arrangement> {
  return new Map(
    picture.groups.map((group) => {
      const own = picture.items.filter((item) => item.group === group.id);
      const size = group.open ? CARD : NAMESPACE_CARD;
      const placed = arrange(
        own.map(({ id }) => ({ id, ...size })),
        picture.calls,
        style,
        room,
      );
      if (!group.open) return [group.id, placed];
      const shift = (point: Point) => ({ x: point.x + PADDING, y: point.y + PADDING + TITLE });
      return [
        group.id,
        {
          size: { width: placed.size.width + 2 * PADDING, height: placed.size.height + 2 * PADDING + TITLE },
          boxes: new Map([...placed.boxes].map(([id, box]) => [id, { ...box, ...shift(box) }])),
          bends: new Map([...placed.bends].map(([id, points]) => [id, points.map(shift)])),
        },
      ];
    }),
  );
}

function joined(
  picture: Picture,
  inners: ReadonlyMap<string, Arrangement>,
  inner: Style,
  outer: Style,
  room: Size,
): Layout {
  const groupOf = new Map(picture.items.map(({ id, group }) => [id, group]));
  const between = new Map(
    picture.calls.map((call) => {
      const [source, destination] = [groupOf.get(call.source) ?? '', groupOf.get(call.destination) ?? ''];
      return [`${source}>${destination}`, { id: `${source}>${destination}`, source, destination }];
    }),
  );
  const placed = arrange(
    picture.groups.map(({ id }) => ({ id, ...(inners.get(id)?.size ?? CARD) })),
    [...between.values()],
    outer,
    room,
  );
  const items = new Map<string, Box>();
  const bends = new Map<string, readonly Point[]>();
  for (const [group, own] of inners) {
    const { x, y } = placed.boxes.get(group) ?? { x: 0, y: 0 };
    for (const [id, box] of own.boxes) items.set(id, { ...box, x: box.x + x, y: box.y + y });
    for (const [id, points] of own.bends)
      bends.set(
        id,
        points.map((point) => ({ x: point.x + x, y: point.y + y })),
      );
  }
  const calls = waysOf(picture.calls, items, bends, (call) =>
    groupOf.get(call.source) === groupOf.get(call.destination) ? inner : outer,
  );
  return { ...placed.size, groups: placed.boxes, items, calls };
}
