import { ADMIN_CLUSTER } from './admin-cluster.ts';
import { type ApplicationMetrics, SOUNDNESS_SCRIPT } from './application-metrics.ts';
import type { EnvoyConfig } from './envoy-types.ts';
import { METRICS_OVERRIDES_SCRIPT } from './metrics-overrides.ts';
import { type MetricsPage, metricsPageScript } from './metrics-page.ts';
import { METRICS_PAGE_CLUSTER } from './names.ts';
import { luaString } from './own-labels.ts';
import { METRICS_PORT } from './ports.ts';
import { buildLocalCluster } from './probe-listeners.ts';
import { buildStaticListener, lua, matchGet } from './static-listener.ts';

/** Path of the metrics, Istio's, on the sidecar's metrics port and, with those of the application, on the probe port. */
export const METRICS_PATH = '/stats/prometheus';

const APPLICATION_CLUSTER = 'heddle-application-metrics';
/** Prometheus says how long it waits; who does not gets an answer in half of so many seconds. */
const SCRAPE_SECONDS = 10;

/** The sidecar's own metrics and nothing else of the admin interface. */
export function buildMetricsListener(page: MetricsPage, ipv6: boolean): EnvoyConfig {
  return buildStaticListener({ name: 'heddle-metrics', port: METRICS_PORT, ipv6, ...buildMetricsPage(page) });
}

/** Clusters that the page asks beside Envoy's admin interface. */
export function buildMetricsClusters(application: ApplicationMetrics | undefined): EnvoyConfig[] {
  if (application === undefined) return [];
  return [buildLocalCluster(APPLICATION_CLUSTER, { type: application.scheme, port: application.port })];
}

/**
 * The page as part of a plaintext listener: the filter that answers, and the route without which it would not be asked.
 * @param application whose metrics are added
 */
export function buildMetricsPage(
  page: MetricsPage,
  application?: ApplicationMetrics,
): { readonly filters: readonly EnvoyConfig[]; readonly routes: readonly EnvoyConfig[] } {
  const source = [
    metricsPageScript(page),
    METRICS_OVERRIDES_SCRIPT,
    ...(application === undefined ? [] : [SOUNDNESS_SCRIPT, applicationScript(application)]),
    answerScript(application !== undefined),
  ].join('');
  return {
    filters: [lua(source)],
    // Never reached: the script has answered.
    routes: [{ match: matchGet(METRICS_PATH), direct_response: { status: 503 } }],
  };
}

/** Envoy's answer about one cluster is short, however many there are. */
const OVERRIDES_PATH = `/config_dump?resource=dynamic_active_clusters&name_regex=%5E${METRICS_PAGE_CLUSTER}%24&mask=cluster.metadata`;

/** Asks Envoy how the page differs from everybody's, and for what was counted at all: of a thousand clusters few are used. */
function answerScript(merges: boolean): string {
  return `
function envoy_on_request(request)
  local headers = request:headers()
  -- The script also runs for requests that have no route.
  if headers:get(":method") ~= "GET" or string.match(headers:get(":path"), "^[^?]*") ~= "${METRICS_PATH}" then return end
  local seconds = tonumber(headers:get("x-prometheus-scrape-timeout-seconds") or "") or ${SCRAPE_SECONDS}
  if not (seconds >= 1 and seconds <= 60) then seconds = ${SCRAPE_SECONDS} end
  local function ask_envoy(path, milliseconds)
    local given, body = request:httpCall("${ADMIN_CLUSTER}", {
      [":method"] = "GET", [":authority"] = "admin", [":path"] = path
    }, nil, milliseconds)
    return given[":status"] == "200" and (body or "") or nil
  end
  local said = ask_envoy("${OVERRIDES_PATH}", seconds * 100)
  local counted = said and ask_envoy("/stats/prometheus?usedonly", seconds * 400)
  if counted == nil then
    request:respond({[":status"] = "503"}, "Envoy does not tell what it counted\\n")
    return
  end
  local text = overridden_page(istio_page(counted), page_rules(said))
  ${merges ? 'text = text .. application_page(request, seconds * 400)' : ''}
  request:respond({[":status"] = "200", ["content-type"] = "text/plain; version=0.0.4; charset=utf-8"}, text)
end
`;
}

function applicationScript({ path, port }: ApplicationMetrics): string {
  return `
local SUCCESS = "heddle_application_scrape_success"
function application_page(request, milliseconds)
  local given, body = request:httpCall("${APPLICATION_CLUSTER}", {
    [":method"] = "GET", [":authority"] = "localhost:${port}", [":path"] = ${luaString(path)},
    ["accept"] = "text/plain;version=0.0.4", ["user-agent"] = "heddle"
  }, nil, milliseconds)
  body = body or ""
  local problem = given[":status"] ~= "200" and "status_" .. given[":status"] or metrics_problem(body)
  if problem ~= nil then
    return "# The application's metrics are left out: " .. problem .. "\\n# TYPE " .. SUCCESS .. " gauge\\n" .. SUCCESS .. " 0\\n"
  end
  return "# TYPE " .. SUCCESS .. " gauge\\n" .. SUCCESS .. " 1\\n" .. body .. "\\n"
end
`;
}
