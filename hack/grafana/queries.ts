/** PromQL that several dashboards ask. A selector is what stands between braces; `by` are labels, separated by commas. */

export const REQUESTS = 'istio_requests_total';
export const OPENED = 'istio_tcp_connections_opened_total';
/** Both kinds of calls. */
export const CALLS = `__name__=~"${REQUESTS}|${OPENED}"`;
/** Metrics of who was called when nobody knows it. */
const KNOWN = 'destination_service!="unknown"';

/** What was no HTTP at all is no request (`operator/telemetry/outcome.ts`, which says too what a failure is). */
export const REQUEST = 'response_flags!~"(.*,)?DPE(,.*)?"';
/** Requests that did not fail by the server's fault: neither 5xx nor such an error of gRPC, and there was an answer. */
export const GOOD = [
  'response_code=~"[1-4].."',
  'grpc_response_status!~"2|4|12|13|14|15|Unknown|DeadlineExceeded|Unimplemented|Internal|Unavailable|DataLoss"',
  'response_flags!~"(.*,)?(UF|UH|UC|UT|LR|UR|URX|UO|NC|UPE|SI|DT|OM|DF)(,.*)?"',
].join(',');

/** By how much a counter grows in a second. @param metric none: the selector names it */
export function perSecond(metric: string, selector: string, by = ''): string {
  return `${sumBy(by)} (rate(${metric}{${selector}}[$__rate_interval]))`;
}

/** Share of the requests that failed, from 0 to 1; nothing where there are no requests. */
export function failedShare(selector: string, by = ''): string {
  return `1 - ${share(REQUESTS, `${selector},${REQUEST}`, GOOD, by)}`;
}

/** Share of requests and connections that both ends made mutual TLS of, from 0 to 1. */
export function mutualShare(selector: string, by = ''): string {
  return share('', `${CALLS},${selector}`, 'connection_security_policy="mutual_tls"', by);
}

function share(metric: string, selector: string, more: string, by: string): string {
  const all = perSecond(metric, selector, by);
  // Where there is none there is no series either.
  return `(${perSecond(metric, `${selector},${more}`, by)} or 0 * ${all}) / ${all}`;
}

/** A quantile of a histogram in its own unit. */
export function quantile(q: number, histogram: string, selector: string, by = ''): string {
  const labels = by === '' ? 'le' : `le, ${by}`;
  return `histogram_quantile(${q}, ${perSecond(`${histogram}_bucket`, selector, labels)})`;
}

/** A quantile of how long requests took, in ms. */
export function duration(q: number, selector: string, by = ''): string {
  return quantile(q, 'istio_request_duration_milliseconds', selector, by);
}

/** Calls of Services in the namespaces chosen, as the side chosen saw them. */
export const OF_NAMESPACES = `reporter="$reporter",destination_service_namespace=~"$namespace",${KNOWN}`;

/** What callers' proxies count of their connections to a Service (Envoy's clusters), summed by `service`. @param host regular expression */
export function upstream(name: string, host: string): string {
  return byService(upstreamSeries(name, host));
}

/** The same for a counter, per second. @param host regular expression */
export function upstreamPerSecond(name: string, host: string): string {
  return byService(`rate(${upstreamSeries(name, host)}[$__rate_interval])`);
}

/** How clusters are named: `outbound|PORT|SUBSET|HOST`, of a revision with `|REVISION` behind it. PromQL needs each backslash twice. */
const BEFORE_HOST = String.raw`outbound\\|[0-9]+\\|[^|]*\\|`;

function upstreamSeries(name: string, host: string): string {
  return String.raw`envoy_cluster_upstream_${name}{cluster_name=~"${BEFORE_HOST}${host}(\\|.*)?"}`;
}

function byService(series: string): string {
  return `sum by (service) (${labelled(series, 'service', 'cluster_name', `${BEFORE_HOST}([^|]+).*`)})`;
}

/** Series with a label made of another where the regular expression matches all of it. */
export function labelled(series: string, label: string, from: string, regex = '(.+)'): string {
  return `label_replace(${series}, "${label}", "$1", "${from}", "${regex}")`;
}

function sumBy(by: string): string {
  return by === '' ? 'sum' : `sum by (${by})`;
}
