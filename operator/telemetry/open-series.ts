/** What a proxy has open at a moment: at its inbound side, and in its pools of connections towards others. */
export type OpenThing = 'inbound connections' | 'inbound requests' | 'connections' | 'active' | 'pending';

/** Families of gauges, as Envoy names them once their tags are labels. */
const GAUGES: ReadonlyMap<string, OpenThing> = new Map([
  ['listener.downstream_cx_active', 'inbound connections'],
  ['http.downstream_rq_active', 'inbound requests'],
  ['cluster.upstream_cx_active', 'connections'],
  ['cluster.upstream_rq_active', 'active'],
  ['cluster.upstream_rq_pending_active', 'pending'],
]);

/** Requests that were refused since a pool had no room for them. `upstream_cx_overflow` is no such count: a request may wait then. */
const OVERFLOW = 'cluster.upstream_rq_pending_overflow';
/** A key of such a series begins so, which no encoded labels do. */
const OVERFLOW_KEY = 'overflow ';

/** One gauge of a flush. */
export interface OpenSample {
  readonly thing: OpenThing;
  /** The encoded labels, see `Sample`. */
  readonly key: string;
  readonly value: number;
  /** By the proxy's clock, ms since the epoch: the same for all of a flush. */
  readonly at: number;
}

/** What a family of gauges is of; undefined for all others. */
export function openThing(family: string): OpenThing | undefined {
  return GAUGES.get(family);
}

/** Whether a family counts requests that pools refused. */
export function isOverflowFamily(family: string): boolean {
  return family === OVERFLOW;
}

/** The key of a series of that family. @param labels encoded */
export function overflowKey(labels: string): string {
  return OVERFLOW_KEY + labels;
}

/** The encoded labels of such a key; undefined for any other. */
export function overflowLabels(key: string): string | undefined {
  return key.startsWith(OVERFLOW_KEY) ? key.slice(OVERFLOW_KEY.length) : undefined;
}

/** The cluster that a series is of; '' for none. @param labels of it */
export function clusterOf(labels: ReadonlyMap<string, string>): string {
  return labels.get('cluster_name') ?? '';
}
