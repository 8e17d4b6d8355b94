import { TAGGED_SUFFIX } from './names.ts';

/**
 * Lua that makes the page of Envoy's own while that passes, part by part: a page of thousands of series is tens of megabytes, which nobody keeps, and other
 * connections have their turn between two parts. A line is looked at no longer than needed: its labels are mostly those of the line before, as a
 * histogram has them on each of its lines.
 *
 * A family of which Telemetry resources say something is kept as sums to its end, since series may become alike; to the end of the page where it is
 * counted once more under another name.
 *
 * Defines `begin_page(rules)` and of what it gives `page_part(page, text)` and `page_end(page)`, the text that stands for Envoy's. Needs `sets` of the
 * script that writes labels, and the sums of the one that has rules.
 */
export const METRICS_STREAM_SCRIPT = String.raw`
local find, sub, byte, match = string.find, string.sub, string.byte, string.match
local HASH, BRACE = byte("#"), byte("{")
local PARTS = { b = "_bucket", s = "_sum", c = "_count" }

local function begin_family(page, line)
  local full, kind = match(line, "^# TYPE ([%w_:]+) (%l+)\n$")
  if full == nil then return { full = "", name = "", head = line } end
  local name = match(full, "^envoy_(istio_.*)$") or match(full, "^envoy_(heddle_.*)$") or full
  local family = { full = full, name = name, head = "# TYPE " .. name .. " " .. kind .. "\n" }
  if sub(name, 1, 6) ~= "istio_" then return family end
  local of = match(name, "^(.*)${TAGGED_SUFFIX}$")
  local shown = of or name
  local rules = page.rules[shown]
  family.is_labelled, family.is_tagged, family.is_hidden = true, of ~= nil, of ~= nil and rules == nil
  if rules ~= nil then
    family.held = page.held[shown] or hold_family(rules, shown, "# TYPE " .. shown .. " " .. kind .. "\n")
    page.held[shown] = family.held
  end
  return family
end

local function end_family(page, out)
  local held = page.family.held
  if held ~= nil and not held.waits then
    put_held(out, held)
    page.held[held.name] = nil
  end
end

-- Labels of a line from the brace on, as Envoy wrote them, and where they end.
local function labels_at(page, text, brace, stop)
  local last = page.labels
  local after = brace + #last + 1
  if sub(text, brace + 1, after - 1) == last and (sub(text, after, after + 1) == "} " or sub(text, after, after + 4) == ',le="') then
    return last, after
  end
  local labels = match(sub(text, brace + 1, stop - 1), "^(.*)} %S+$")
  if labels == nil then return nil end
  labels = match(labels, '^(.*),le="[^"]*"$') or labels
  page.labels = labels
  return labels, brace + #labels + 1
end

local function put_line(page, out, text, at, stop)
  local family, size = page.family, #out
  local after_name = at + #family.full
  if family.name == family.full or sub(text, at, after_name - 1) ~= family.full then
    out[size + 1] = sub(text, at, stop)
    return
  end
  local part = byte(text, after_name) == BRACE and "" or PARTS[sub(text, after_name + 1, after_name + 1)] or ""
  local labels, after
  if family.is_labelled then labels, after = labels_at(page, text, after_name + #part, stop) end
  if labels == nil then
    out[size + 1], out[size + 2] = family.name, sub(text, after_name, stop)
  elseif family.held ~= nil then
    add_line(family.held, family.is_tagged, labels, part, sub(text, after, stop))
  else
    out[size + 1], out[size + 2], out[size + 3] = family.name, part, "{"
    out[size + 4], out[size + 5] = sets[labels], sub(text, after, stop)
  end
end

function begin_page(rules)
  return { rules = rules, held = {}, rest = "", labels = "", family = { full = "", name = "" } }
end

function page_part(page, text)
  text = page.rest .. text
  local out, at = {}, 1
  local stop = find(text, "\n", at, true)
  while stop ~= nil do
    if byte(text, at) == HASH then
      end_family(page, out)
      page.family = begin_family(page, sub(text, at, stop))
      if page.family.held == nil and not page.family.is_hidden then out[#out + 1] = page.family.head end
    elseif not page.family.is_hidden then
      put_line(page, out, text, at, stop)
    end
    at = stop + 1
    stop = find(text, "\n", at, true)
  end
  page.rest = sub(text, at)
  return table.concat(out)
end

function page_end(page)
  local out = {}
  end_family(page, out)
  for _, held in pairs(page.held) do put_held(out, held) end
  out[#out + 1] = page.rest
  return table.concat(out)
end
`;
