import { INBOUND_PORT } from '../../proxy/ports.ts';
import { decodeLabels } from './metrics-message.ts';
import { clusterOf, type OpenSample } from './open-series.ts';

/** One pool of connections of a proxy. */
export interface OpenPool {
  readonly connections: number;
  /** Requests under way. */
  readonly active: number;
  /** Requests that wait for a connection. */
  readonly pending: number;
}

/** What one proxy had open when it last reported. */
export interface OpenAtProxy {
  /** At its inbound side. */
  readonly connections: number;
  readonly active: number;
  /** Towards others, by cluster (`outbound|...`); those that were used. */
  readonly pools: ReadonlyMap<string, OpenPool>;
}

interface Cell {
  /** Cluster, or '' at the inbound side. */
  readonly cluster: string;
  readonly field: 'connections' | 'active' | 'pending';
  value: number;
  at: number;
}

interface Proxy {
  /** Undefined: nothing that is read. */
  readonly cells: Map<string, Cell | undefined>;
  /** Of the newest sample, by the proxy's clock. */
  at: number;
  /** When there last was more than is kept, so that nothing was known in whole; by the proxy's clock. */
  tooManyAt: number;
}

/** Gauges that are kept of one proxy: of 1,000 pools three each, and some. */
const MAX_CELLS = 4000;
/** What is older than the newest by more, in ms, was not in the last flush: its cluster or listener is gone. One flush may come in parts. */
const GONE_MS = 7500;
/** A clock that goes back by more begins anew. */
const CLOCK_BACK_MS = 60_000;

/** What each proxy has open now, as its last report says. A gauge that was never other than zero is not reported. */
export class OpenTable {
  readonly #proxies = new Map<string, Proxy>();
  readonly #inbound: string;

  /** @param inboundPort of the proxies' inbound listeners */
  constructor(inboundPort: number = INBOUND_PORT) {
    this.#inbound = `_${inboundPort}`;
  }

  /** Takes what the proxy of a pod reported. */
  take(podUid: string, samples: readonly OpenSample[]): void {
    let proxy = this.#proxies.get(podUid);
    if (proxy === undefined) {
      proxy = { cells: new Map(), at: 0, tooManyAt: Number.NEGATIVE_INFINITY };
      this.#proxies.set(podUid, proxy);
    }
    for (const sample of samples) put(proxy, sample, this.#inbound);
    if (proxy.cells.size > MAX_CELLS) tidy(proxy);
  }

  /** Undefined: nothing is known. Whether the proxy still reports is for the caller to know. */
  at(podUid: string): OpenAtProxy | undefined {
    const proxy = this.#proxies.get(podUid);
    if (proxy === undefined || proxy.at - proxy.tooManyAt <= GONE_MS) return undefined;
    const inbound = { connections: 0, active: 0, pending: 0 };
    const pools = new Map<string, typeof inbound>();
    for (const cell of proxy.cells.values()) {
      if (cell === undefined || isGone(cell, proxy)) continue;
      let pool = cell.cluster === '' ? inbound : pools.get(cell.cluster);
      if (pool === undefined) {
        pool = { connections: 0, active: 0, pending: 0 };
        pools.set(cell.cluster, pool);
      }
      pool[cell.field] += cell.value;
    }
    return { connections: inbound.connections, active: inbound.active, pools };
  }

  /** The pod is gone. */
  forget(podUid: string): void {
    this.#proxies.delete(podUid);
  }
}

/** @param inbound how the address of an inbound listener ends */
function put(proxy: Proxy, { thing, key, value, at }: OpenSample, inbound: string): void {
  if (at < proxy.at - CLOCK_BACK_MS) {
    proxy.cells.clear();
    proxy.at = at;
    proxy.tooManyAt = Number.NEGATIVE_INFINITY;
  }
  proxy.at = Math.max(proxy.at, at);
  const name = `${thing} ${key}`;
  const known = proxy.cells.get(name);
  if (known !== undefined) {
    known.value = value;
    known.at = at;
  } else if (!proxy.cells.has(name)) {
    proxy.cells.set(name, read({ thing, key, value, at }, inbound));
  }
}

function read({ thing, key, value, at }: OpenSample, inbound: string): Cell | undefined {
  const labels = decodeLabels(key);
  if (thing === 'inbound connections') {
    const isInbound = labels.get('envoy.listener_address')?.endsWith(inbound);
    return isInbound ? { cluster: '', field: 'connections', value, at } : undefined;
  }
  if (thing === 'inbound requests') {
    const isInbound = labels.get('envoy.http_conn_manager_prefix')?.startsWith('inbound_');
    return isInbound ? { cluster: '', field: 'active', value, at } : undefined;
  }
  const cluster = clusterOf(labels);
  return cluster.startsWith('outbound|') ? { cluster, field: thing, value, at } : undefined;
}

function isGone({ at }: Cell, proxy: Proxy): boolean {
  return at < proxy.at - GONE_MS;
}

/** Drops what is gone, and all of it when that is not enough. */
function tidy(proxy: Proxy): void {
  for (const [name, cell] of proxy.cells) if (cell === undefined || isGone(cell, proxy)) proxy.cells.delete(name);
  if (proxy.cells.size <= MAX_CELLS) return;
  proxy.cells.clear();
  proxy.tooManyAt = proxy.at;
}
