import { ADMIN_CLUSTER } from './admin-cluster.ts';
import { type EnvoyConfig, extension, oneEndpoint, typed } from './envoy-types.ts';
import { METRICS_OVERRIDES_SCRIPT } from './metrics-overrides.ts';
import { type MetricsPage, metricsPageScript } from './metrics-page.ts';
import { METRICS_STREAM_SCRIPT } from './metrics-stream.ts';
import { METRICS_PAGE_CLUSTER } from './names.ts';
import { boundedRequests, limitAnswers, pageLimitFilter, pageRateLimit } from './page-limits.ts';
import { ADMIN_PORT, METRICS_PORT } from './ports.ts';
import { buildStaticListener, matchGet, type StaticListener } from './static-listener.ts';

/** Path of the metrics, Istio's, on the sidecar's metrics port and, with those of the application, on the probe port. */
export const METRICS_PATH = '/stats/prometheus';

/** By which Prometheus says how long it waits, in seconds. */
const SCRAPE_TIMEOUT = 'x-prometheus-scrape-timeout-seconds';
/** Who does not say it waits so long, and no page takes longer than the most. */
const SCRAPE_SECONDS = 10;
const MAX_SCRAPE_SECONDS = 60;
const SCRIPT_FILTER = 'page-script';
const SCRIPT_MESSAGE = 'filters.http.lua.v3.Lua';
const COUNTED_CLUSTER = 'heddle-counted';

/** A page as part of a plaintext listener. */
export type PagePart = Pick<StaticListener, 'filters' | 'routes' | 'answers'>;

/** The sidecar's own metrics and nothing else of the admin interface: Envoy's own page flows through a script, which makes ours of it. */
export function buildMetricsListener(page: MetricsPage, ipv6: boolean): EnvoyConfig {
  const scripts = [metricsPageScript(page), METRICS_OVERRIDES_SCRIPT, METRICS_STREAM_SCRIPT, REQUEST_SCRIPT];
  const part = buildPagePart(COUNTED_CLUSTER, [...scripts, RESPONSE_SCRIPT]);
  return buildStaticListener({ name: 'heddle-metrics', port: METRICS_PORT, ipv6, ...part });
}

/** Clusters that this page asks beside `ADMIN_CLUSTER`. */
export function buildCountedCluster(): EnvoyConfig {
  return buildPageCluster(COUNTED_CLUSTER, ADMIN_PORT);
}

/**
 * A page that flows from a cluster, as often and to as many at a time as pages may be.
 * @param scripts parts of one; none: the page stays as it is
 */
export function buildPagePart(cluster: string, scripts: readonly string[]): PagePart {
  const source = { inline_string: bare(scripts.join('\n')) };
  const script = { [SCRIPT_FILTER]: typed(`${SCRIPT_MESSAGE}PerRoute`, { source_code: source }) };
  const route = {
    cluster,
    timeout: `${MAX_SCRAPE_SECONDS}s`,
    max_stream_duration: { max_stream_duration: `${MAX_SCRAPE_SECONDS}s` },
  };
  return {
    filters: [pageLimitFilter(), extension(SCRIPT_FILTER, SCRIPT_MESSAGE, { clear_route_cache: false })],
    routes: [
      {
        match: matchGet(METRICS_PATH),
        route,
        typed_per_filter_config: { ...pageRateLimit(), ...(scripts.length === 0 ? {} : script) },
      },
    ],
    answers: limitAnswers(METRICS_PATH),
  };
}

/** A port of this Envoy's own from which pages flow; what is on its way is kept in no more than some kilobytes. */
export function buildPageCluster(name: string, port: number): EnvoyConfig {
  return {
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    per_connection_buffer_limit_bytes: 65_536,
    load_assignment: oneEndpoint(name, '127.0.0.1', port),
    ...boundedRequests(),
  };
}

/** A script without what is for people, as each pod's manifest carries it. */
function bare(source: string): string {
  return source.replace(/^ *(?:--.*)?\n?/gm, '');
}

/** Lua that defines `scrape_seconds(request)`: how long the caller waits for the page. */
export const SCRAPE_SECONDS_SCRIPT = `
function scrape_seconds(request)
  local seconds = tonumber(request:headers():get("${SCRAPE_TIMEOUT}") or "")
  return seconds and seconds >= 1 and seconds <= ${MAX_SCRAPE_SECONDS} and seconds or ${SCRAPE_SECONDS}
end
`;

/** Envoy's answer about one cluster is short, however many there are. */
const OVERRIDES_PATH = `/config_dump?resource=dynamic_active_clusters&name_regex=%5E${METRICS_PAGE_CLUSTER}%24&mask=cluster.metadata`;

/**
 * Asks Envoy how the page differs from everybody's, and has the request go on as one for what was counted at all: of a thousand clusters few are used.
 * Nothing that the caller wrote goes on.
 */
const REQUEST_SCRIPT = `${SCRAPE_SECONDS_SCRIPT}
function envoy_on_request(request)
  local seconds = scrape_seconds(request)
  local given, said = request:httpCall("${ADMIN_CLUSTER}", {
    [":method"] = "GET", [":authority"] = "admin", [":path"] = "${OVERRIDES_PATH}"
  }, nil, seconds * 200)
  if given[":status"] ~= "200" then
    request:respond({[":status"] = "503"}, "Envoy does not tell how its metrics are shown\\n")
    return
  end
  request:streamInfo():dynamicMetadata():set("heddle", "rules", said or "")
  -- What was got of the request before it waited is gone.
  local headers = request:headers()
  local names = {}
  for name in pairs(headers) do if string.sub(name, 1, 1) ~= ":" then names[#names + 1] = name end end
  for _, name in ipairs(names) do headers:remove(name) end
  headers:replace(":path", "${METRICS_PATH}?usedonly")
  headers:replace("x-envoy-upstream-rq-timeout-ms", string.format("%d", seconds * 400))
end
`;

const RESPONSE_SCRIPT = `
function envoy_on_response(response)
  local headers = response:headers()
  local kept = response:streamInfo():dynamicMetadata():get("heddle")
  if headers:get(":status") ~= "200" or kept == nil then return end
  headers:remove("content-length")
  headers:replace("content-type", "text/plain; version=0.0.4; charset=utf-8")
  local page = begin_page(page_rules(kept.rules))
  local last, text
  for chunk in response:bodyChunks() do
    last, text = chunk, page_part(page, chunk:getBytes(0, chunk:length()))
    chunk:setBytes(text)
  end
  -- None came any more, so the last has not left.
  last:setBytes(text .. page_end(page))
end
`;
