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
