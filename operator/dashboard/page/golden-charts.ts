import { type ComponentChildren, h, type JSX } from 'preact';
import type { Series, SeriesView } from '../../../api/view/series-view.ts';
import { Chart } from './chart.ts';
import { millis, rate } from './format.ts';

interface GoldenChartsProps {
  readonly view: SeriesView;
  /** Of `view`: what is drawn. */
  readonly own: Series;
  /** Further charts. */
  readonly children?: ComponentChildren;
}

/** Latency, traffic and errors over time. */
export function GoldenCharts({ view: { at, step }, own, children }: GoldenChartsProps): JSX.Element {
  return h(
    'section',
    { class: 'charts', 'aria-label': 'Over time' },
    h(Chart, {
      title: 'Latency',
      at,
      step,
      say: millis,
      lines: [
        { name: 'p50', points: own.p50Ms, tone: 'soft' },
        { name: 'p99', points: own.p99Ms, tone: 'strong' },
      ],
    }),
    h(Chart, {
      title: 'Traffic',
      at,
      step,
      say: rate,
      lines: [{ name: 'requests', points: own.perSecond, tone: 'strong' }],
    }),
    h(Chart, {
      title: 'Errors',
      at,
      step,
      say: rate,
      lines: [{ name: 'failures', points: own.failuresPerSecond, tone: 'bad' }],
    }),
    children,
  );
}
