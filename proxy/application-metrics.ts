/** Where the application of a pod has its own metrics. */
export interface ApplicationMetrics {
  readonly port: number;
  /** Path and query. */
  readonly path: string;
  readonly scheme: 'http' | 'https';
}

/** Largest answer of an application that is taken, in bytes; Envoy itself gives up at 32 MiB. */
const MAX_BYTES = 4 * 1024 * 1024;

/** Beginnings of lines that are kept, up to their values: more than a page has that is no larger. */
const MAX_KEPT = 100_000;

/**
 * Lua that tells metrics from anything else, so that what an application answers never spoils the page that it is put on: Prometheus refuses all of a page
 * for one line. What is well formed is taken away, by patterns over the whole text, and nothing may be left. Labels become a character that the text
 * can't have, runs of blanks one blank, times are taken off, and numbers become a zero; words are matched from their first letter on. So no text, however made, costs more than
 * its length. No pattern reaches over the end of a line, so a line that differs from one that was well formed in its value alone is not looked at again:
 * between two scrapes that is most of them, and all patterns over all of the text cost some 0.4 s for each MB.
 *
 * Defines `metrics_problem(body)`: what is wrong with it, or nil.
 */
export const SOUNDNESS_SCRIPT = String.raw`
local heads, kept = {}, 0

-- The lines of which it is not known that they are well formed, and the beginnings of those that differ from known ones in their value alone.
local function unknown_lines(body)
  local lines, new, at = {}, {}, 1
  while at <= #body do
    local stop = string.find(body, "\n", at, true) or #body + 1
    local line = string.sub(body, at, stop - 1)
    local head, value = string.match(line, "^(.*}) ([%d.eE+-]+)$")
    if head == nil then head, value = string.match(line, "^([%a_:][%w_:]*) ([%d.eE+-]+)$") end
    if head == nil or tonumber(value) == nil then
      lines[#lines + 1] = line
    elseif not heads[head] then
      lines[#lines + 1], new[#new + 1] = line, head
    end
    at = stop + 1
  end
  return table.concat(lines, "\n"), new
end

function metrics_problem(body)
  if #body > ${MAX_BYTES} then return "too_large" end
  if string.find(body, "[%z\1-\8\11-\31]") then return "malformed" end
  local lines, new = unknown_lines(body)
  local rest = "\n" .. lines .. "\n"
  if string.find(rest, "\\", 1, true) then rest = string.gsub(rest, "\\[^\n]", "x") end
  for _, step in ipairs({
    { "\n[ \t]*#[^\n]*", "" },
    { '%f[%w_][%a_][%w_]*[ \t]*=[ \t]*"[^"\n]*"[ \t]*,?', "\1" },
    { "[ \t]+", " " },
    { "{[\1 ]*}", " " },
    { " ([-+]?[%d.][^ \n]*) %-?%d+ ?%f[\n]", " %1" },
    { " ([-+]?[NI][an][Nf]) %-?%d+ ?%f[\n]", " %1" },
    { "%d+", "0" },
    { "0%.0?", "0" },
    { "%.0", "0" },
    { "0[eE][-+]?0", "0" },
    { " [-+]?NaN%f[^%w]", " 0" },
    { " [-+]?Inf%f[^%w]", " 0" },
    { "\n ?[%a_:][%w_:]* +[-+]?0%f[ \n] ?%f[\n]", "" }
  }) do
    rest = string.gsub(rest, step[1], step[2])
  end
  if string.find(rest, "[^ \n]") then return "malformed" end
  if kept + #new > ${MAX_KEPT} then heads, kept = {}, 0 end
  for _, head in ipairs(new) do heads[head] = true end
  kept = kept + #new
  return nil
end
`;
