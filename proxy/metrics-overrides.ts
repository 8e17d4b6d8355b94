import { EXPRESSION_TAG, METRICS_PAGE_METADATA } from './names.ts';

/** Most sets of labels that are kept for a side of a metric; more than there can be unless they change all the time. */
const MAX_KEPT = 10_000;

/**
 * Lua that makes of the page what Telemetry resources say of it. They stand in the metadata of a cluster, as `operator/xds/metrics-page.ts` writes them.
 * Metrics of which they say nothing are not looked at. Of a metric that is counted once more, with what expressions come to, that is shown; while there
 * is none of it yet, and where a listener of before still counts, the label is `unknown`. Series that become alike are added up.
 *
 * What expressions come to callers may choose. It stands behind all other labels, and nothing of it is read as anything but text; what is not ASCII is `?`.
 *
 * Defines `page_rules(dump)`, of Envoy's answer about the cluster, and the sums of a family that has rules: `hold_family(rules, name, head)`,
 * `add_line(held, is_tagged, labels, part, tail)`, `put_held(out, held)`. Needs `known` and `expanded` of the script that writes labels.
 */
export const METRICS_OVERRIDES_SCRIPT = String.raw`
local HIDDEN = { ["\\"] = "\1", ['"'] = "\2", n = "\3" }
local SHOWN = { ["\1"] = "\\\\", ["\2"] = "\\\"", ["\3"] = "\\n" }
local BARE = { ["\\"] = "\1", ['"'] = "\2", ["\n"] = "\3" }
local said_before, rules_before = nil, {}

local function rule_for(rules, metric, reporter)
  local sides = rules[metric] or {}
  local rule = sides[reporter] or { labels = {}, added = {}, kept = {}, count = 0 }
  rules[metric], sides[reporter] = sides, rule
  return rule
end

local function decoded(value)
  value = string.gsub(value, "%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
  return (string.gsub(value, "[\\\"\n]", BARE))
end

function page_rules(dump)
  local said = string.match(dump, '"${METRICS_PAGE_METADATA.key}": "([^"]*)"') or ""
  if said == said_before then return rules_before end
  local rules = {}
  for entry in string.gmatch(said, "[^;]+") do
    local reporter, metric, act, label, value = string.match(entry, "^(%l+) ([%w_]+) (%l+) ?([%w_]*) ?(.*)$")
    local rule = rule_for(rules, metric, reporter)
    if act == "disable" then
      rule.disabled = true
    else
      rule.labels[label] = { act = act, value = decoded(value) }
      if act ~= "remove" then table.insert(rule.added, label) end
      if act == "tag" then rule.is_tagged = true end
    end
  end
  said_before, rules_before = said, rules
  return rules
end

local function make_labels(rule, labels)
  local clean = string.gsub(string.gsub(labels, "[%z\1-\31\127-\255]", "?"), "\\(.)", HIDDEN)
  local names, values, tags, parts = {}, {}, {}, {}
  for name, value in string.gmatch(clean, '([%w_]+)="([^"]*)"') do
    if string.find(name, "^${EXPRESSION_TAG}%x+$") then
      tags[name] = value
    else
      table.insert(names, name)
      values[name] = value
    end
  end
  for _, label in ipairs(rule.added) do
    if values[label] == nil then table.insert(names, label) end
  end
  for _, name in ipairs(names) do
    local value, said = values[name], rule.labels[name]
    if said ~= nil and said.act == "remove" then value = nil end
    if said ~= nil and said.act == "set" then value = said.value end
    if said ~= nil and said.act == "tag" then value = known(tags[said.value]) end
    if value ~= nil then table.insert(parts, name .. '="' .. value .. '"') end
  end
  return (string.gsub(table.concat(parts, ","), "[\1-\3]", SHOWN))
end

local function labels_by(rule, labels)
  if rule == nil then return sets[labels] end
  local made = rule.kept[labels]
  if made ~= nil then return made end
  if rule.count > ${MAX_KEPT} then rule.kept, rule.count = {}, 0 end
  local own, tags = string.match(labels, '^(.-response_flags="[^"\n]*")(.*)$')
  made = own == nil and labels or make_labels(rule, expanded(own) .. tags)
  rule.kept[labels], rule.count = made, rule.count + 1
  return made
end

local function no_sums() return { sets = {}, order = {} } end

-- Of a family and of what is counted of it once more: which of both is shown of a side is known when all has been seen.
function hold_family(rules, name, head)
  local waits = false
  for _, rule in pairs(rules) do waits = waits or (rule.is_tagged and not rule.disabled) end
  return { name = name, head = head, rules = rules, waits = waits, all = no_sums(), own = {}, is_apart = {} }
end

local function add_value(sums, labels, part, bucket, value)
  local set = sums.sets[labels]
  if set == nil then
    set = { labels = labels, values = {}, lines = {} }
    sums.sets[labels] = set
    sums.order[#sums.order + 1] = set
  end
  local key = part .. bucket
  local before = set.values[key]
  if before == nil then set.lines[#set.lines + 1] = { key = key, part = part, bucket = bucket } end
  set.values[key] = (before or 0) + value
end

function add_line(held, is_tagged, labels, part, tail)
  local reporter = string.match(labels, '^reporter="(%l+)"')
  if reporter == nil then return end
  local rule = held.rules[reporter]
  if rule ~= nil and rule.disabled then return end
  local can_be_apart = held.waits and rule ~= nil and rule.is_tagged
  local sums = held.all
  if is_tagged then
    if not can_be_apart then return end
    held.is_apart[reporter] = true
  elseif can_be_apart then
    sums = held.own[reporter] or no_sums()
    held.own[reporter] = sums
  end
  local bucket, value = string.match(tail, "^([^}]*)} (%S+)\n$")
  if bucket ~= nil then add_value(sums, labels_by(rule, labels), part, bucket, tonumber(value)) end
end

local function number_text(value)
  return string.format(value == math.floor(value) and value < 2 ^ 53 and "%.0f" or "%.17g", value)
end

function put_held(out, held)
  local all = held.all
  for reporter, sums in pairs(held.own) do
    if not held.is_apart[reporter] then
      for _, set in ipairs(sums.order) do
        for _, line in ipairs(set.lines) do add_value(all, set.labels, line.part, line.bucket, set.values[line.key]) end
      end
    end
  end
  if #all.order == 0 then return end
  out[#out + 1] = held.head
  for _, set in ipairs(all.order) do
    for _, line in ipairs(set.lines) do
      local bucket = set.labels == "" and string.sub(line.bucket, 2) or line.bucket
      local size = #out
      out[size + 1], out[size + 2], out[size + 3], out[size + 4] = held.name, line.part, "{", set.labels
      out[size + 5], out[size + 6], out[size + 7], out[size + 8] = bucket, "} ", number_text(set.values[line.key]), "\n"
    end
  end
end
`;
