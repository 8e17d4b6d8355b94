import { type ApplicationMetrics, SOUNDNESS_SCRIPT } from './application-metrics.ts';
import type { EnvoyConfig } from './envoy-types.ts';
import { buildPageCluster, buildPagePart, type PagePart, SCRAPE_SECONDS_SCRIPT } from './metrics-listeners.ts';
import { luaString } from './own-labels.ts';
import { boundedRequests, REFUSE_BUSY_SCRIPT } from './page-limits.ts';
import { METRICS_PORT } from './ports.ts';
import { buildLocalCluster } from './probe-listeners.ts';

const OWN_CLUSTER = 'heddle-own-metrics';
const APPLICATION_CLUSTER = 'heddle-application-metrics';

/** The page of the metrics port, with the application's metrics behind. */
export function buildMergedPage(application: ApplicationMetrics | undefined): PagePart {
  return buildPagePart(OWN_CLUSTER, application === undefined ? [] : [SOUNDNESS_SCRIPT, mergingScript(application)]);
}

/** Clusters that this page asks. */
export function buildMergedClusters(application: ApplicationMetrics | undefined): EnvoyConfig[] {
  const own = buildPageCluster(OWN_CLUSTER, METRICS_PORT);
  if (application === undefined) return [own];
  const probe = { type: application.scheme, port: application.port };
  return [own, { ...buildLocalCluster(APPLICATION_CLUSTER, probe), ...boundedRequests() }];
}

/** Asks the application first, so that what waits for it keeps nothing of the other page. */
function mergingScript({ path, port }: ApplicationMetrics): string {
  return `${SCRAPE_SECONDS_SCRIPT}${REFUSE_BUSY_SCRIPT}
local SUCCESS = "heddle_application_scrape_success"
function application_page(given, body)
  local problem = given[":status"] ~= "200" and "status_" .. given[":status"] or metrics_problem(body)
  if problem ~= nil then
    return "# The application's metrics are left out: " .. problem .. "\\n# TYPE " .. SUCCESS .. " gauge\\n" .. SUCCESS .. " 0\\n"
  end
  return "# TYPE " .. SUCCESS .. " gauge\\n" .. SUCCESS .. " 1\\n" .. body .. "\\n"
end
function envoy_on_request(request)
  local given, body = request:httpCall("${APPLICATION_CLUSTER}", {
    [":method"] = "GET", [":authority"] = "localhost:${port}", [":path"] = ${luaString(path)},
    ["accept"] = "text/plain;version=0.0.4", ["user-agent"] = "heddle"
  }, nil, scrape_seconds(request) * 400)
  if given[":status"] == "503" and given["x-envoy-overloaded"] ~= nil then
    refuse_busy(request)
    return
  end
  request:streamInfo():dynamicMetadata():set("heddle", "application", application_page(given, body or ""))
end
function envoy_on_response(response)
  local kept = response:streamInfo():dynamicMetadata():get("heddle")
  if response:headers():get(":status") ~= "200" or kept == nil then return end
  local last
  for chunk in response:bodyChunks() do last = chunk end
  last:setBytes(last:getBytes(0, last:length()) .. kept.application)
end
`;
}
