import type { Box, Point } from './arrange.ts';
import type { End, Way } from './ends.ts';

interface Cubic {
  readonly from: Point;
  readonly a: Point;
  readonly b: Point;
  readonly to: Point;
}

/** A smooth line. */
export interface Curve {
  /** For an SVG path. */
  readonly d: string;
  /** The point so far along, 0 to 1. */
  readonly at: (part: number) => Point;
  /** The arrow at its end, for an SVG path. */
  readonly tip: string;
}

const OUTWARDS = {
  left: { x: -1, y: 0 },
  right: { x: 1, y: 0 },
  top: { x: 0, y: -1 },
  bottom: { x: 0, y: 1 },
} as const;
const TIP = { length: 8, width: 4 } as const;

/** The curve of a way: it leaves its cards at right angles, and bends softly between. */
export function curveOf({ start, bends, end }: Way): Curve {
  const out = OUTWARDS[end.side];
  // The line ends where the arrow begins, or it would show beside its point.
  const last = { x: end.x + out.x * TIP.length, y: end.y + out.y * TIP.length };
  const points = [start, ...bends, last];
  const level = start.side === 'left' || start.side === 'right';
  const pieces = points.slice(1).map((to, index): Cubic => {
    const from = points[index] ?? to;
    const [alongWay, aside] = level
      ? [Math.abs(to.x - from.x), Math.abs(to.y - from.y)]
      : [Math.abs(to.y - from.y), Math.abs(to.x - from.x)];
    // From one side to the same side of another card it takes a bow.
    const reach =
      start.side === end.side && bends.length === 0 ? 24 + Math.min(44, aside / 8) : Math.max(18, alongWay / 2);
    const before = index === 0 ? OUTWARDS[start.side] : direction(points[index - 1] ?? from, to, level);
    const after =
      index === points.length - 2 ? { x: -out.x, y: -out.y } : direction(from, points[index + 2] ?? to, level);
    const own = index === points.length - 2 && isLevel(end) !== level ? Math.max(18, aside / 2) : reach;
    return {
      from,
      a: { x: from.x + before.x * reach, y: from.y + before.y * reach },
      b: { x: to.x - after.x * own, y: to.y - after.y * own },
      to,
    };
  });
  const d = `M${spot(start)}${pieces.map(({ a, b, to }) => `C${spot(a)} ${spot(b)} ${spot(to)}`).join('')}`;
  const at = (part: number): Point => {
    const place = Math.min(pieces.length - 1e-6, Math.max(0, part * pieces.length));
    const piece = pieces[Math.floor(place)];
    return piece === undefined ? start : along(piece, place % 1);
  };
  const side = { x: out.y * TIP.width, y: out.x * TIP.width };
  const tip = `M${spot(end)}L${spot({ x: last.x + side.x, y: last.y + side.y })}L${spot({ x: last.x - side.x, y: last.y - side.y })}Z`;
  return { d, at, tip };
}

function isLevel({ side }: End): boolean {
  return side === 'left' || side === 'right';
}

function direction(from: Point, to: Point, level: boolean): Point {
  return level ? { x: Math.sign(to.x - from.x) || 1, y: 0 } : { x: 0, y: Math.sign(to.y - from.y) || 1 };
}

function spot({ x, y }: Point): string {
  return `${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`;
}

function along({ from, a, b, to }: Cubic, t: number): Point {
  const mix = (p: number, q: number, r: number, s: number) => {
    const u = 1 - t;
    return u * u * u * p + 3 * u * u * t * q + 3 * u * t * t * r + t * t * t * s;
  };
  return { x: mix(from.x, a.x, b.x, to.x), y: mix(from.y, a.y, b.y, to.y) };
}

/** Where along a curve a label stands: in the middle, or as near to it as nothing else is; it takes its place from then on. */
export class LabelPlaces {
  readonly #taken: Box[];

  /** @param taken boxes that labels keep off */
  constructor(taken: Iterable<Box>) {
    this.#taken = [...taken];
  }

  /** @returns the middle of the label; undefined when there is no room anywhere along the curve */
  place(curve: Curve, width: number, height: number): Point | undefined {
    for (const part of [0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82]) {
      const { x, y } = curve.at(part);
      const box = { x: x - width / 2, y: y - height / 2, width, height };
      if (this.#taken.some((other) => overlap(box, other))) continue;
      this.#taken.push(box);
      return { x, y };
    }
    return undefined;
  }
}

function overlap(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
