import { h, type JSX } from 'preact';

type Points = readonly (number | null)[];

/**
 * Paths of a line through points in a box, oldest left; where nothing is known the line has a gap.
 * @param top the value at the upper edge
 * @returns `line`, and `area` down to the lower edge
 */
export function pathsOf(points: Points, width: number, height: number, top: number): { line: string; area: string } {
  const stepX = points.length > 1 ? width / (points.length - 1) : 0;
  const at = (value: number, index: number) => {
    const y = top <= 0 ? height : height - (Math.min(value, top) / top) * height;
    return `${round(index * stepX)} ${round(y)}`;
  };
  let line = '';
  let area = '';
  let run: string[] = [];
  let first = 0;
  const close = (end: number) => {
    if (run.length === 0) return;
    // A point alone is a short dash, or it would not be seen.
    line += run.length === 1 ? `M${run[0]}h1.5` : `M${run.join('L')}`;
    area += `M${round(first * stepX)} ${height}L${run.join('L')}L${round(end * stepX)} ${height}Z`;
    run = [];
  };
  for (const [index, value] of points.entries()) {
    if (value === null) close(index - 1);
    else {
      if (run.length === 0) first = index;
      run.push(at(value, index));
    }
  }
  close(points.length - 1);
  return { line, area };
}

/** The largest value that is known; undefined when none is. */
export function highest(points: Points): number | undefined {
  return points.reduce<number | undefined>(
    (most, value) => (value === null ? most : Math.max(most ?? value, value)),
    undefined,
  );
}

const WIDTH = 96;
const HEIGHT = 22;

/** A small line without axes. */
export function Sparkline({
  points,
  label,
  tone = '',
}: {
  readonly points: Points | undefined;
  readonly label: string;
  readonly tone?: string;
}): JSX.Element {
  const top = points === undefined ? undefined : highest(points);
  if (points === undefined || top === undefined) return h('span', { class: 'sparkline-none', 'aria-hidden': true });
  const { line, area } = pathsOf(points, WIDTH, HEIGHT - 3, top);
  return h(
    'svg',
    {
      class: `sparkline ${tone}`,
      viewBox: `0 -2 ${WIDTH} ${HEIGHT}`,
      role: 'img',
      'aria-label': label,
      preserveAspectRatio: 'none',
    },
    h('path', { class: 'area', d: area }),
    h('path', { class: 'line', d: line }),
  );
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
