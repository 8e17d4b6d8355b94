import { ENDPOINT_TYPE } from '../../operator/xds/resource.ts';
import { BenchProxy } from './bench-proxy.ts';
import type { ClientsRequest, Holding, ProxiesReport, ServerPlace } from './messages.ts';
import { MetricsReport } from './metrics-report.ts';
import { ReportingProxy } from './reporting-proxy.ts';

/** The child that plays the proxies. */

/** The golden ratio: its multiples are spread evenly, however many there are. */
const PHASE = 0.618_033_988_75;

const proxies: BenchProxy[] = [];
let server: ServerPlace | undefined;
let stopping = false;

function fail(error: Error): void {
  if (!stopping) {
    console.error(`bench proxy: ${error.message}`);
    process.exit(1);
  }
}

const now = (): number => performance.timeOrigin + performance.now();

/** The control plane as it is now. @throws Error before one was named */
function current(): ServerPlace {
  if (server === undefined) throw new Error('no control plane was named');
  return server;
}

async function connect(request: Extract<ClientsRequest, { kind: 'connect' }>): Promise<readonly number[]> {
  server = request.server;
  const { uses, lasting, pods } = request;
  const added = Array.from({ length: request.count }, (_, nth) => {
    const index = request.first + nth;
    return new BenchProxy({
      server: current,
      index,
      fail,
      ...(uses && { uses: uses[nth % uses.length] ?? [] }),
      ...(lasting && { lasting }),
      ...(pods?.[index] && { pod: pods[index] }),
    });
  });
  proxies.push(...added);
  return Promise.all(added.map((proxy) => proxy.settled.then(now)));
}

function holdings(first: number, count: number): Holding[] {
  return proxies.slice(first, first + count).map((proxy) => ({ digest: proxy.digest(), returns: proxy.returns }));
}

/** Has proxies report requests from now on, at moments of their own. */
function report(reports: readonly ProxiesReport[]): void {
  for (const { first, count, series, requests } of reports) {
    const metrics = new MetricsReport(series, requests);
    const concerned = proxies.slice(first, first + count);
    for (const [nth, proxy] of concerned.entries()) new ReportingProxy(proxy, metrics, ((first + nth) * PHASE) % 1);
  }
}

const arrivals = new Map<string, number[]>();

function record(on: boolean): void {
  arrivals.clear();
  for (const proxy of proxies) {
    proxy.onEndpoints = on ? (names) => arrived(names, now()) : undefined;
  }
}

function arrived(names: readonly string[], at: number): void {
  for (const name of names) {
    const known = arrivals.get(name);
    if (known === undefined) arrivals.set(name, [at]);
    else known.push(at);
  }
}

process.on('message', async (request: ClientsRequest) => {
  if (request.kind === 'connect') {
    process.send?.({ at: await connect(request) });
  } else if (request.kind === 'reconnect') {
    for (const proxy of proxies) proxy.reconnect();
    process.send?.({ at: await Promise.all(proxies.map((proxy) => proxy.settled.then(now))) });
  } else if (request.kind === 'server') {
    server = request.server;
    process.send?.({ at: [] });
  } else if (request.kind === 'record') {
    record(true);
    process.send?.({ at: [] });
  } else if (request.kind === 'recorded') {
    process.send?.(Object.fromEntries(arrivals));
    record(false);
  } else if (request.kind === 'report') {
    report(request.reports);
    process.send?.({ at: [] });
  } else if (request.kind === 'holdings') {
    process.send?.({ holdings: holdings(request.first, request.count) });
  } else {
    const { typeUrl, name } = request;
    // Endpoints are those of a cluster: who has the one has the other.
    const concerned = proxies.filter((proxy) => name === undefined || proxy.holds(ENDPOINT_TYPE, name));
    const acknowledged = concerned.map(
      (proxy) =>
        new Promise<number>((resolve) => {
          proxy.onNext.set(typeUrl, () => {
            proxy.onNext.clear();
            resolve(now());
          });
        }),
    );
    process.send?.({ at: [] });
    process.send?.({ at: await Promise.all(acknowledged) });
  }
});
process.on('disconnect', () => {
  stopping = true;
  process.exit(0);
});
process.send?.({ at: [] });
