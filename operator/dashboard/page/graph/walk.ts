import type { Box } from './arrange.ts';

export type Direction = 'left' | 'right' | 'up' | 'down';

/** The card that a person means who presses an arrow: the nearest in that direction, where being beside counts more than being near. */
export function nextInDirection(
  items: ReadonlyMap<string, Box>,
  from: string,
  direction: Direction,
): string | undefined {
  const here = items.get(from);
  if (here === undefined) return items.keys().next().value;
  let [best, cost] = [undefined as string | undefined, Number.POSITIVE_INFINITY];
  for (const [id, box] of items) {
    const dx = box.x + box.width / 2 - (here.x + here.width / 2);
    const dy = box.y + box.height / 2 - (here.y + here.height / 2);
    const [ahead, aside] =
      direction === 'left' || direction === 'right'
        ? [direction === 'left' ? -dx : dx, dy]
        : [direction === 'up' ? -dy : dy, dx];
    if (id === from || ahead < 8) continue;
    const own = ahead + Math.abs(aside) * 2;
    if (own < cost) [best, cost] = [id, own];
  }
  return best;
}

/**
 * The card before or after one as one reads them, row by row; behind the last comes the first. Arrows lead to the nearest card, and some may be nobody's nearest:
 * so each can be reached.
 */
export function nextInReading(items: ReadonlyMap<string, Box>, from: string, step: 1 | -1): string | undefined {
  const order = [...items].sort(([, a], [, b]) => a.y - b.y || a.x - b.x).map(([id]) => id);
  return order[(order.indexOf(from) + step + order.length) % order.length];
}
