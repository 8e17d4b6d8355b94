import type { Box, Link, Point, Style } from './arrange.ts';

export type Side = 'left' | 'right' | 'top' | 'bottom';

/** Where a call leaves a card, or comes to one. */
export interface End extends Point {
  readonly side: Side;
}

/** The way of a call over the drawing. */
export interface Way {
  readonly start: End;
  readonly bends: readonly Point[];
  readonly end: End;
}

/** Cards nearer than this to each other in a direction are beside each other, not one behind the other. */
const BEHIND = 12;

/**
 * Finds the ways of calls. They leave cards towards where they go, and are spread over a side in the order of where they go, so that they do not cross there.
 * @param styleOf the style in which both ends of a call are placed
 */
export function waysOf(
  links: readonly Link[],
  boxes: ReadonlyMap<string, Box>,
  bends: ReadonlyMap<string, readonly Point[]>,
  styleOf: (link: Link) => Style,
): Map<string, Way> {
  const plans = links.flatMap((link) => {
    const [from, to] = [boxes.get(link.source), boxes.get(link.destination)];
    if (from === undefined || to === undefined) return [];
    const way = bends.get(link.id) ?? [];
    const [first, last] = [way[0], way.at(-1)];
    const style = styleOf(link);
    const start = sideTowards(from, first === undefined ? to : { ...first, width: 0, height: 0 }, style);
    const end = sideTowards(to, last === undefined ? from : { ...last, width: 0, height: 0 }, style);
    return [{ id: link.id, from, to, way, start, end, source: link.source, destination: link.destination }];
  });
  const slots = new Map<string, { key: string; toward: number }[]>();
  const ask = (item: string, side: Side, key: string, toward: Point) => {
    const name = `${item} ${side}`;
    const own = slots.get(name) ?? [];
    own.push({ key, toward: side === 'left' || side === 'right' ? toward.y : toward.x });
    slots.set(name, own);
  };
  for (const { id, from, to, way, start, end, source, destination } of plans) {
    ask(source, start, `${id} start`, way[0] ?? middle(to));
    ask(destination, end, `${id} end`, way.at(-1) ?? middle(from));
  }
  const offsets = new Map<string, number>();
  for (const [name, own] of slots) {
    const box = boxes.get(name.slice(0, name.lastIndexOf(' ')));
    const along = / (left|right)$/.test(name) ? (box?.height ?? 0) : (box?.width ?? 0);
    own.sort((a, b) => a.toward - b.toward);
    const step = Math.min(14, (along - 20) / own.length);
    for (const [index, { key }] of own.entries()) offsets.set(key, (index - (own.length - 1) / 2) * step);
  }
  return new Map(
    plans.map(({ id, from, to, way, start, end }) => [
      id,
      {
        start: endAt(from, start, offsets.get(`${id} start`) ?? 0),
        bends: way,
        end: endAt(to, end, offsets.get(`${id} end`) ?? 0),
      },
    ]),
  );
}

function sideTowards(box: Box, other: Box, style: Style): Side {
  const [gapRight, gapLeft] = [other.x - (box.x + box.width), box.x - (other.x + other.width)];
  const [gapBottom, gapTop] = [other.y - (box.y + box.height), box.y - (other.y + other.height)];
  const across = gapRight > BEHIND ? 'right' : gapLeft > BEHIND ? 'left' : undefined;
  const along = gapBottom > BEHIND ? 'bottom' : gapTop > BEHIND ? 'top' : undefined;
  // Within a column a straight line would hide behind the cards between.
  if (style === 'grid') return across ?? 'right';
  return (style === 'down' ? (along ?? across) : (across ?? along)) ?? 'right';
}

function middle({ x, y, width, height }: Box): Point {
  return { x: x + width / 2, y: y + height / 2 };
}

function endAt(box: Box, side: Side, offset: number): End {
  const { x, y } = middle(box);
  if (side === 'left') return { side, x: box.x, y: y + offset };
  if (side === 'right') return { side, x: box.x + box.width, y: y + offset };
  return { side, x: x + offset, y: side === 'top' ? box.y : box.y + box.height };
}
