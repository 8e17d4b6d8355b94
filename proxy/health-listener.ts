import { ADMIN_CLUSTER } from './admin-cluster.ts';
import type { EnvoyConfig } from './envoy-types.ts';
import { HEALTH_PORT } from './ports.ts';
import { buildStaticListener, lua, matchGet } from './static-listener.ts';

/** Path that answers 200 once this sidecar serves the mesh. */
export const READY_PATH = '/healthz/ready';

/** For so long an answer holds, in ms: anybody may ask, and Envoy's main thread, which takes in configuration, looks at all its counters for each. */
const KNOWN_MS = 200;

/**
 * 200 once a first set of clusters and of listeners was accepted (Envoy opens no listener at all before they are warm), and as long as
 * Envoy is not draining. An answer of the admin page /ready alone would also be 200 after everything was rejected.
 */
const READY_SCRIPT = `
local asked_at, status, text = 0, nil, nil
function envoy_on_request(request)
  -- The script also runs for requests that have no route.
  if request:headers():get(":path") ~= "${READY_PATH}" then return end
  local now = tonumber(request:timestamp())
  -- Clocks may go back.
  if status ~= nil and math.abs(now - asked_at) < ${KNOWN_MS} then
    request:respond({[":status"] = status}, text)
    return
  end
  asked_at = now
  local headers, body = request:httpCall("${ADMIN_CLUSTER}", {
    [":method"] = "GET", [":authority"] = "admin",
    [":path"] = "/stats?filter=%5E(cluster_manager.cds.update_success%7Clistener_manager.lds.update_success%7Cserver.state)%24"
  }, nil, 1000)
  body = body or ""
  local missing = ""
  if not string.find(body, "cds.update_success: [1-9]") then missing = missing .. " clusters" end
  if not string.find(body, "lds.update_success: [1-9]") then missing = missing .. " listeners" end
  if not string.find(body, "server.state: 0") then missing = missing .. " live-state" end
  if missing == "" then
    status, text = "200", "ready\\n"
  else
    status, text = "503", "waiting for:" .. missing .. "\\n"
  end
  request:respond({[":status"] = status}, text)
end`;

/** `/healthz/ready` for kubelet; nothing else is answered. */
export function buildHealthListener(ipv6: boolean): EnvoyConfig {
  return buildStaticListener({
    name: 'heddle-health',
    port: HEALTH_PORT,
    ipv6,
    filters: [lua(READY_SCRIPT)],
    // Never reached: the script has answered.
    routes: [{ match: matchGet(READY_PATH), direct_response: { status: 503 } }],
  });
}
