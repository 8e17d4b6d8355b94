import { CLUSTER_NAME, luaString, type OwnWorkload, ownLabels, ownPrincipal } from './own-labels.ts';
import { SUBJECT_ATTRIBUTE } from './peer-subject.ts';

/** What a metrics page depends on. */
export interface MetricsPage {
  readonly own: OwnWorkload;
  /** Usually cluster.local. */
  readonly clusterDomain: string;
}

/**
 * Lua that makes Istio's labels of those on Envoy's page. Envoy tags what it counts with little, as each tag costs time with each request; what is the same for
 * the whole pod, and what follows from the tags, is written here. A set of labels stands on many lines (a histogram has one for each bucket), so it is
 * made once and kept (`metrics-stream.ts` goes over the lines).
 *
 * Defines `sets`, from labels as Envoy writes them to Istio's, and `expanded(labels)`, the same unkept.
 */
export function metricsPageScript({ own, clusterDomain }: MetricsPage): string {
  return `
local OWN = {
  source = ${luaString(ownLabels('source', own))},
  destination = ${luaString(ownLabels('destination', own))}
}
local PRINCIPAL = ${luaString(ownPrincipal(own))}
local SERVICE_DOMAIN = ${luaString(`.svc.${clusterDomain}`)}
local SUBJECT = "^${SUBJECT_ATTRIBUTE}=([%w._-]*)/([%w._-]*)/([%w._-]*)/([%w._-]*)/([%w._-]*)$"
${EXPANSION}`;
}

/** Most sets of labels that are kept; more than there can be unless they change all the time. */
const MAX_KEPT = 10_000;

const EXPANSION = `
local function known(value)
  if value == nil or value == "" or value == "-" then return "unknown" end
  return value
end

local function peer_labels(side, subject, principal)
  local workload, service, revision, app, version = string.match(subject or "", SUBJECT)
  local is_ours = workload ~= nil
  local text = ""
  for _, label in ipairs({
    { "workload", workload },
    { "workload_namespace", string.match(principal or "", "^spiffe://[^/]*/ns/([%w._-]+)/sa/[%w._-]+$") },
    { "canonical_service", service },
    { "canonical_revision", is_ours and revision == "" and "latest" or revision },
    { "app", app },
    { "version", version },
    { "cluster", is_ours and "${CLUSTER_NAME}" or nil }
  }) do
    text = text .. side .. "_" .. label[1] .. '="' .. known(label[2]) .. '",'
  end
  return text
end

local function service_labels(host)
  local name, namespace = host, nil
  if string.sub(host, -#SERVICE_DOMAIN) == SERVICE_DOMAIN then
    name, namespace = string.match(string.sub(host, 1, -#SERVICE_DOMAIN - 1), "([^.]+)%.([^.]+)$")
  end
  return 'destination_service="' .. known(host) .. '",destination_service_name="' .. known(name) ..
    '",destination_service_namespace="' .. known(namespace) .. '",'
end

local function expand(labels)
  local tags = {}
  for name, value in string.gmatch(labels, '([%w_]+)="([^"\\n]*)"') do tags[name] = value end
  local is_source = tags.reporter == "source"
  local text = 'reporter="' .. tags.reporter .. '",' .. OWN[tags.reporter] .. ","
  local security = tags.connection_security_policy
  if is_source then
    local cluster = tags.upstream_cluster or ""
    local host = string.match(cluster, "^outbound|%d+|[^|]*|([^|]+)")
    local principal = known(tags.destination_principal)
    local is_mutual = principal ~= "unknown"
    security = is_mutual and "mutual_tls" or "unknown"
    -- Not one of Istio's: it ends in the revision where a Canary splits a Service, so that queries can tell these apart.
    text = text .. 'upstream_cluster="' .. cluster .. '",source_principal="' .. (is_mutual and PRINCIPAL or "unknown") .. '",' ..
      peer_labels("destination", tags.destination_peer, principal) ..
      'destination_principal="' .. principal .. '",'
    if host ~= nil then
      text = text .. service_labels((string.gsub(host, "^%*%.", "")))
    else
      text = text .. 'destination_service="unknown",destination_service_name="' .. known(cluster) ..
        '",destination_service_namespace="unknown",'
    end
  else
    local principal = known(tags.source_principal)
    text = text .. peer_labels("source", tags.source_peer, principal) .. 'source_principal="' .. principal ..
      '",destination_principal="' .. (security == "mutual_tls" and PRINCIPAL or "unknown") .. '",' ..
      service_labels(known(tags.destination_service))
  end
  local protocol = "tcp"
  if tags.response_code ~= nil then
    local grpc = tags.grpc_response_status or ""
    protocol = grpc == "" and "http" or "grpc"
    text = text .. 'response_code="' .. tags.response_code .. '",grpc_response_status="' .. grpc .. '",'
  end
  return text .. 'request_protocol="' .. protocol .. '",response_flags="' .. (tags.response_flags or "-") ..
    '",connection_security_policy="' .. (security or "unknown") .. '"'
end

-- What is not of ours stays as it is. Of what is counted once more the tags behind do not show.
function expanded(labels)
  return OWN[string.match(labels, '^reporter="(%l+)"')] ~= nil and expand(labels) or labels
end

local kept = 0
sets = setmetatable({}, { __index = function(table, labels)
  if kept > ${MAX_KEPT} then
    for each in pairs(table) do rawset(table, each, nil) end
    kept = 0
  end
  local text = expanded(labels)
  kept = kept + 1
  rawset(table, labels, text)
  return text
end })
`;
