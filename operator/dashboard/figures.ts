import type { Completeness } from '../../api/view/graph-view.ts';
import type { SeriesView } from '../../api/view/series-view.ts';
import type { Growth } from '../telemetry/history/traffic-history.ts';
import type { SeriesSelection } from './view-source.ts';

/** What was counted in a window. Times in ms since the epoch. */
export interface WindowFigures {
  readonly since: number;
  readonly until: number;
  /** Seconds of it in which anything was counted: by them rates are made. */
  readonly counted: number;
  readonly growths: Iterable<Growth>;
  readonly completeness: Completeness;
  /** Whether all is known that pools refused in it, and what is open now. */
  readonly knowsPools: boolean;
}

/** Where figures come from. What can't be known is said in their completeness, and is no error. */
export interface Figures {
  window(seconds: number): Promise<WindowFigures>;
  series(selection: SeriesSelection): Promise<SeriesView>;
}
