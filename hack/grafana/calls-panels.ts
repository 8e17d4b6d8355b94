import { lines, type Panel, type Section, type Stat } from './dashboard.ts';
import { duration, failedShare, mutualShare, OPENED, perSecond, REQUEST, REQUESTS } from './queries.ts';

/** The four golden numbers of some calls, but for saturation: traffic, errors, latency; and whether they are encrypted. */
export function goldenStats(selector: string): Stat[] {
  const of = (
    title: string,
    description: string,
    unit: Stat['unit'],
    query: string,
    bounds?: Stat['bounds'],
  ): Stat => ({
    kind: 'stat',
    title,
    description,
    unit,
    query,
    ...(bounds === undefined ? {} : { bounds }),
  });
  return [
    of('Requests', 'HTTP and gRPC.', 'reqps', perSecond(REQUESTS, `${selector},${REQUEST}`)),
    of(
      'Failed',
      '5xx, no answer, or an error of gRPC that is the server’s.',
      'percentunit',
      failedShare(selector),
      [0.01, 0.05],
    ),
    of('p99', '99 of 100 requests took no longer.', 'ms', duration(0.99, selector)),
    of('Mutual TLS', 'Share of requests and connections.', 'percentunit', mutualShare(selector)),
  ];
}

/** Traffic, errors and latency of some calls as lines, one for each value of the labels. */
export function goldenLines(title: string, selector: string, by: string, legend: string): Section {
  const panels: Panel[] = [
    lines('Requests', 'Per second.', 'reqps', perSecond(REQUESTS, `${selector},${REQUEST}`, by), legend),
    lines(
      'Failed',
      'Share of the requests that failed by the server’s fault.',
      'percentunit',
      failedShare(selector, by),
      legend,
    ),
    lines('p99', '99 of 100 requests took no longer.', 'ms', duration(0.99, selector, by), legend),
    lines('Connections of TCP', 'Opened per second.', 'cps', perSecond(OPENED, selector, by), legend),
  ];
  return { title, panels };
}

/** How long requests took, and how large they were. */
export function percentiles(selector: string): Panel {
  const queries = [0.5, 0.9, 0.95, 0.99].map((q) => ({ expr: duration(q, selector), legend: `p${q * 100}` }));
  const description = 'So many of 100 requests took no longer.';
  return { kind: 'lines', title: 'Latency', description, unit: 'ms', queries };
}

/** Bytes of bodies and of connections. Those of a connection are counted when it ends. */
export function bytes(selector: string): Panel {
  const queries = [
    ['istio_request_bytes_sum', 'requests'],
    ['istio_response_bytes_sum', 'answers'],
    ['istio_tcp_received_bytes_total', 'TCP, to the server'],
    ['istio_tcp_sent_bytes_total', 'TCP, from the server'],
  ].map(([metric = '', legend = '']) => ({ expr: perSecond(metric, selector), legend }));
  const description = 'Bytes of bodies, and of connections that ended.';
  return { kind: 'lines', title: 'Bytes', description, unit: 'Bps', queries };
}
