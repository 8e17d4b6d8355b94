/** Where the application of a pod has its own metrics. */
export interface ApplicationMetrics {
  readonly port: number;
  /** Path and query. */
  readonly path: string;
  readonly scheme: 'http' | 'https';
}

/** Largest answer of an application that is taken, in bytes; Envoy itself gives up at 32 MiB. */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Lua that tells metrics from anything else, so that what an application answers never spoils the page that it is put on: Prometheus refuses all of a page
 * for one line. What is well formed is taken away, by patterns over the whole text, and nothing may be left. Labels become a character that the text
 * can't have, runs of blanks one blank, and numbers a zero; words are matched from their first letter on. So no text, however made, costs more than
 * its length.
 *
 * Defines `metrics_problem(body)`: what is wrong with it, or nil.
 */
export const SOUNDNESS_SCRIPT = String.raw`
function metrics_problem(body)
  if #body > ${MAX_BYTES} then return "too_large" end
  if string.find(body, "[%z\1-\8\11-\31]") then return "malformed" end
  local rest = "\n" .. body .. "\n"
  if string.find(rest, "\\", 1, true) then rest = string.gsub(rest, "\\[^\n]", "x") end
  for _, step in ipairs({
    { "\n[ \t]*#[^\n]*", "" },
    { '%f[%w_][%a_][%w_]*[ \t]*=[ \t]*"[^"\n]*"[ \t]*,?', "\1" },
    { "[ \t]+", " " },
    { "{[\1 ]*}", " " },
    { "%d+", "0" },
    { "0%.0?", "0" },
    { "%.0", "0" },
    { "0[eE][-+]?0", "0" },
    { " [-+]?NaN%f[^%w]", " 0" },
    { " [-+]?Inf%f[^%w]", " 0" },
    { "\n ?[%a_:][%w_:]* +[-+]?0%f[ \n] ?-?0? ?%f[\n]", "" }
  }) do
    rest = string.gsub(rest, step[1], step[2])
  end
  if string.find(rest, "[^ \n]") then return "malformed" end
  return nil
end
`;
