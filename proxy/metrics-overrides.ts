import { EXPRESSION_TAG, METRICS_PAGE_METADATA, TAGGED_SUFFIX } from './names.ts';

/** Most sets of labels that are kept for a side of a metric; more than there can be unless they change all the time. */
const MAX_KEPT = 10_000;

/**
 * Lua that makes of the page what Telemetry resources say of it. They stand in the metadata of a cluster, as `operator/xds/metrics-page.ts` writes them.
 * Metrics of which they say nothing are not looked at. Of a metric that is counted once more, with what expressions come to, that is shown; while there
 * is none of it yet, and where a listener of before still counts, the label is `unknown`. Series that become alike are added up.
 *
 * What expressions come to callers may choose. It stands behind all other labels, and nothing of it is read as anything but text; what is not ASCII is `?`.
 *
 * Defines `page_rules(dump)`, of Envoy's answer about the cluster, and `overridden_page(text, rules)`. Needs `known` of the page's script.
 */
export const METRICS_OVERRIDES_SCRIPT = String.raw`
local HIDDEN = { ["\\"] = "\1", ['"'] = "\2", n = "\3" }
local SHOWN = { ["\1"] = "\\\\", ["\2"] = "\\\"", ["\3"] = "\\n" }
local BARE = { ["\\"] = "\1", ['"'] = "\2", ["\n"] = "\3" }
local LINE = '([%w_]+){(reporter=[^\n]-connection_security_policy="[^"\n]*")([^\n]*)} (%S+)\n'
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

local function labels_by(rule, labels, tags)
  if rule == nil then return labels end
  if rule.count > ${MAX_KEPT} then rule.kept, rule.count = {}, 0 end
  local kept = rule.kept[labels] or {}
  rule.kept[labels] = kept
  if kept[tags] == nil then
    kept[tags], rule.count = make_labels(rule, labels .. tags), rule.count + 1
  end
  return kept[tags]
end

local function add_up(sums, block, rule_of)
  local counted = #block.name + 1
  for head, labels, rest, value in string.gmatch(block.body, LINE) do
    local is_shown, rule = rule_of(string.match(labels, '^reporter="(%l+)"'))
    if is_shown then
      local at = string.find(rest, ',le="[^"]*"$') or #rest + 1
      local bucket, part = string.sub(rest, at), string.sub(head, counted)
      local made = labels_by(rule, labels, string.sub(rest, 1, at - 1))
      local set = sums.sets[made]
      if set == nil then
        set = { labels = made, values = {}, order = {} }
        sums.sets[made] = set
        table.insert(sums.order, set)
      end
      local key = part .. bucket
      if set.values[key] == nil then table.insert(set.order, { key = key, part = part, bucket = bucket }) end
      set.values[key] = (set.values[key] or 0) + tonumber(value)
    end
  end
end

local function number_text(value)
  return string.format(value == math.floor(value) and value < 2 ^ 53 and "%.0f" or "%.17g", value)
end

local function ruled_block(block, tagged, sides)
  if sides.source and sides.source.disabled and sides.destination and sides.destination.disabled then return "" end
  local sums, counted_apart = { sets = {}, order = {} }, {}
  if tagged ~= nil then
    add_up(sums, tagged, function(reporter)
      local rule = sides[reporter]
      if rule == nil or rule.disabled or not rule.is_tagged then return false end
      counted_apart[reporter] = true
      return true, rule
    end)
  end
  add_up(sums, block, function(reporter)
    local rule = sides[reporter]
    return rule == nil or not (rule.disabled or counted_apart[reporter]), rule
  end)
  if #sums.order == 0 then return "" end
  local lines = { block.head }
  for _, set in ipairs(sums.order) do
    for _, line in ipairs(set.order) do
      local bucket = set.labels == "" and string.sub(line.bucket, 2) or line.bucket
      local size = #lines
      lines[size + 1], lines[size + 2], lines[size + 3], lines[size + 4] = block.name, line.part, "{", set.labels
      lines[size + 5], lines[size + 6] = bucket, "} "
      lines[size + 7], lines[size + 8] = number_text(set.values[line.key]), "\n"
    end
  end
  return table.concat(lines)
end

function overridden_page(text, rules)
  if next(rules) == nil and not string.find(text, "${TAGGED_SUFFIX}", 1, true) then return text end
  local blocks, tagged, starts = {}, {}, {}
  for start, name, stop in string.gmatch(text, "()# TYPE ([%w_:]+) %l+\n()") do
    table.insert(blocks, { name = name, head = string.sub(text, start, stop - 1), stop = stop })
    table.insert(starts, start)
  end
  table.insert(starts, #text + 1)
  local pieces = { string.sub(text, 1, starts[1] - 1) }
  for index, block in ipairs(blocks) do
    block.body = string.sub(text, block.stop, starts[index + 1] - 1)
    local of = string.match(block.name, "^(istio_[%w_]+)${TAGGED_SUFFIX}$")
    if of ~= nil then tagged[of] = block end
    block.is_tagged = of ~= nil
  end
  for _, block in ipairs(blocks) do
    if not block.is_tagged then
      local sides = rules[block.name]
      table.insert(pieces, sides == nil and block.head .. block.body or ruled_block(block, tagged[block.name], sides))
    end
  end
  return table.concat(pieces)
end
`;
