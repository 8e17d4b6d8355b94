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

interface Cell {
  /** '' at the inbound side. */
  readonly cluster: string;
  readonly field: keyof OpenPool;
  value: number;
  at: number;
}

/** By gauge; undefined: nothing that is read. */
type Cells = Map<string, Cell | undefined>;

interface Proxy {
  /** These are few, and asked for by themselves. */
  readonly inbound: Cells;
  readonly outbound: Cells;
  /** Of the newest sample, by the proxy's clock. */
  at: number;
  /** When there last was more than is kept, so that nothing was known in whole; by the proxy's clock. */
  tooManyAt: number;
}

const NOTHING: OpenPool = { connections: 0, active: 0, pending: 0 };

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
      proxy = { inbound: new Map(), outbound: new Map(), at: 0, tooManyAt: Number.NEGATIVE_INFINITY };
      this.#proxies.set(podUid, proxy);
    }
    for (const sample of samples) put(proxy, sample, this.#inbound);
    if (sizeOf(proxy) > MAX_CELLS) tidy(proxy);
  }

  /** What was open at the inbound side when the proxy last reported. Undefined: not known. Whether it still reports is for the caller to know. */
  inbound(podUid: string): Pick<OpenPool, 'connections' | 'active'> | undefined {
    const proxy = this.#known(podUid);
    if (proxy === undefined) return undefined;
    const { connections, active } = poolsOf(proxy, proxy.inbound).get('') ?? NOTHING;
    return { connections, active };
  }

  /** The same of its pools, by cluster, towards others (`outbound|...`) and its application (`inbound|...`): those that were used. */
  pools(podUid: string): ReadonlyMap<string, OpenPool> | undefined {
    const proxy = this.#known(podUid);
    return proxy && poolsOf(proxy, proxy.outbound);
  }

  /** The pod is gone. */
  forget(podUid: string): void {
    this.#proxies.delete(podUid);
  }

  #known(podUid: string): Proxy | undefined {
    const proxy = this.#proxies.get(podUid);
    return proxy !== undefined && proxy.at - proxy.tooManyAt > GONE_MS ? proxy : undefined;
  }
}

function poolsOf(proxy: Proxy, cells: Cells): Map<string, OpenPool> {
  const pools = new Map<string, { -readonly [Field in keyof OpenPool]: number }>();
  for (const cell of cells.values()) {
    if (cell === undefined || isGone(cell, proxy)) continue;
    let pool = pools.get(cell.cluster);
    if (pool === undefined) {
      pool = { ...NOTHING };
      pools.set(cell.cluster, pool);
    }
    pool[cell.field] += cell.value;
  }
  return pools;
}

/** @param inbound how the address of an inbound listener ends */
function put(proxy: Proxy, { thing, key, value, at }: OpenSample, inbound: string): void {
  if (at < proxy.at - CLOCK_BACK_MS) {
    clear(proxy);
    proxy.at = at;
    proxy.tooManyAt = Number.NEGATIVE_INFINITY;
  }
  proxy.at = Math.max(proxy.at, at);
  const name = `${thing} ${key}`;
  const cells = thing.startsWith('inbound') ? proxy.inbound : proxy.outbound;
  const known = cells.get(name);
  if (known !== undefined) {
    known.value = value;
    known.at = at;
  } else if (!cells.has(name)) {
    cells.set(name, read({ thing, key, value, at }, inbound));
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
  const isPool = cluster.startsWith('outbound|') || cluster.startsWith('inbound|');
  return isPool ? { cluster, field: thing, value, at } : undefined;
}

function isGone({ at }: Cell, proxy: Proxy): boolean {
  return at < proxy.at - GONE_MS;
}

/** Drops what is gone, and all of it when that is not enough. */
function tidy(proxy: Proxy): void {
  for (const cells of [proxy.inbound, proxy.outbound]) {
    for (const [name, cell] of cells) if (cell === undefined || isGone(cell, proxy)) cells.delete(name);
  }
  if (sizeOf(proxy) <= MAX_CELLS) return;
  clear(proxy);
  proxy.tooManyAt = proxy.at;
}

function sizeOf({ inbound, outbound }: Proxy): number {
  return inbound.size + outbound.size;
}

function clear({ inbound, outbound }: Proxy): void {
  inbound.clear();
  outbound.clear();
}
