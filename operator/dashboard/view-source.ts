import type {
  CanariesView,
  ControlPlaneView,
  PoliciesView,
  ProxiesView,
  RefusalsView,
} from '../../api/view/control-plane-view.ts';
import type { GraphView } from '../../api/view/graph-view.ts';
import type { SeriesView } from '../../api/view/series-view.ts';

/** What of the mesh is asked for: all namespaces, unless one is named. */
export interface Selection {
  readonly namespace: string | undefined;
}

export interface WindowSelection extends Selection {
  readonly seconds: number;
}

/** Golden metrics over time of one node or edge, or `*`: of all. */
export interface SeriesSelection {
  readonly of: 'node' | 'edge';
  readonly id: string;
  readonly seconds: number;
  /** At most so many. */
  readonly points: number;
}

/** What `changed` may name. */
export type Changed = 'canaries' | 'policies' | 'proxies' | 'control-plane';

/** Port: what the operator knows of the mesh, as `api/view` has it. */
export interface ViewSource {
  graph(selection: WindowSelection): Promise<GraphView>;
  series(selection: SeriesSelection): Promise<SeriesView>;
  controlPlane(): Promise<ControlPlaneView>;
  proxies(selection: Selection): Promise<ProxiesView>;
  policies(selection: Selection): Promise<PoliciesView>;
  refusals(selection: WindowSelection): Promise<RefusalsView>;
  canaries(selection: Selection): Promise<CanariesView>;
  /** Calls back when something is to be asked anew, however often; gives a function that ends that. */
  onChanged(listener: (what: Changed) => void): () => void;
}
