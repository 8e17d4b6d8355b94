import { h, type JSX } from 'preact';
import { useState } from 'preact/hooks';
import { clock } from './format.ts';
import { highest, pathsOf } from './sparkline.ts';

export interface Line {
  readonly name: string;
  readonly points: readonly (number | null)[];
  /** Class of its colour. */
  readonly tone: string;
}

interface ChartProps {
  readonly title: string;
  readonly lines: readonly Line[];
  /** Words for a value. */
  readonly say: (value: number | null | undefined) => string | undefined;
  /** End of the last point, ms since the epoch. */
  readonly at: number;
  /** Seconds from one point to the next. */
  readonly step: number;
  /** Bytes, whose scale goes by powers of 1024. */
  readonly binary?: boolean;
}

const WIDTH = 400;
const HEIGHT = 120;

/** One metric over time, with its newest value, or that under the pointer. */
export function Chart({ title, lines, say, at, step, binary = false }: ChartProps): JSX.Element {
  const [hover, setHover] = useState<number>();
  const length = Math.max(0, ...lines.map(({ points }) => points.length));
  const top = highest(lines.flatMap(({ points }) => points));
  const unit = binary ? 1024 ** Math.floor(Math.log(Math.max(1, top ?? 0)) / Math.log(1024)) : 1;
  const scale = niceTop((top ?? 0) / unit) * unit;
  const shown = hover ?? length - 1;
  const when = clock(at - (length - 1 - shown) * step * 1000);
  const onPointerMove = (event: PointerEvent) => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const index = Math.round(((event.clientX - box.left) / box.width) * (length - 1));
    setHover(Math.min(length - 1, Math.max(0, index)));
  };
  const values = lines.map(({ name, points, tone }) =>
    h(
      'span',
      { class: `chart-value ${tone}`, key: name },
      h('i', {}),
      lines.length > 1 ? `${name} ` : '',
      say(points[shown]) ?? h('span', { class: 'unknown' }, 'unknown'),
    ),
  );
  const label = `${title}: ${lines.map((line) => `${line.name} now ${say(line.points.at(-1)) ?? 'unknown'}, at most ${say(highest(line.points)) ?? 'unknown'}`).join('; ')}`;
  return h(
    'figure',
    { class: 'chart' },
    h(
      'figcaption',
      {},
      h('h2', {}, title),
      h('span', { class: 'chart-values' }, values, h('time', {}, hover === undefined ? 'now' : when)),
    ),
    top === undefined
      ? h('p', { class: 'unknown chart-empty' }, 'unknown')
      : h(
          'div',
          { class: 'chart-box', onPointerMove, onPointerLeave: () => setHover(undefined) },
          h('span', { class: 'chart-top', 'aria-hidden': true }, say(scale)),
          h(
            'svg',
            { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
            [0, 0.5, 1].map((part) => h('path', { class: 'grid', key: part, d: `M0 ${part * HEIGHT}H${WIDTH}` })),
            lines.map(({ name, points, tone }) => {
              const { line, area } = pathsOf(points, WIDTH, HEIGHT, scale);
              return h(
                'g',
                { class: tone, key: name },
                lines.length === 1 ? h('path', { class: 'area', d: area }) : null,
                h('path', { class: 'line', d: line }),
              );
            }),
            hover === undefined
              ? null
              : h('path', { class: 'cursor', d: `M${(hover / Math.max(1, length - 1)) * WIDTH} 0V${HEIGHT}` }),
          ),
          h(
            'div',
            { class: 'chart-times', 'aria-hidden': true },
            h('span', {}, clock(at - (length - 1) * step * 1000)?.slice(0, 5)),
            h('span', {}, clock(at)?.slice(0, 5)),
          ),
        ),
  );
}

/** The next of 1, 2, 5 times a power of ten: so that the scale does not move with every value. */
export function niceTop(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * power).find((top) => top >= value) ?? 10 * power;
}
