import { create } from '@bufbuild/protobuf';
import { isGlobal, type RateLimitPolicySpec } from '../../api/rate-limit-policy.ts';
import { DataSourceSchema } from '../../generated/envoy/envoy/config/core/v3/base_pb.js';
import { LuaSchema } from '../../generated/envoy/envoy/extensions/filters/http/lua/v3/lua_pb.js';
import type { HttpFilter } from '../../generated/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { buildHttpFilter } from './http-filter.ts';
import type { FilterContext } from './http-filters.ts';

/**
 * Each filter adds its headers to what there is; the one asked last comes first, and where one refused nobody was asked after it. So of those with as little
 * left the first is the one that decided, where any did.
 */
const SCRIPT = `
local names = {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"}
function envoy_on_response(handle)
  local headers = handle:headers()
  local count = headers:getNumValues("x-ratelimit-remaining")
  if count < 2 then return end
  local nearest, least = 0, math.huge
  for index = 0, count - 1 do
    local left = tonumber(headers:getAtIndex("x-ratelimit-remaining", index)) or math.huge
    if left < least then nearest, least = index, left end
  end
  for _, name in ipairs(names) do
    local value = headers:getAtIndex(name, nearest)
    headers:remove(name)
    if value ~= nil then headers:add(name, value) end
  end
end
`;

/**
 * Leaves one set of `x-ratelimit-*` in an answer where several filters tell of their limits: that of the limit which is nearest to its end. It stands
 * before these, so that it sees what all of them added.
 */
export function buildLimitHeaders({ rateLimits = [] }: FilterContext): HttpFilter[] {
  const tellers = rateLimits.reduce((sum, { spec }) => sum + tellersOf(spec), 0);
  if (tellers < 2) return [];
  const defaultSourceCode = create(DataSourceSchema, { specifier: { case: 'inlineString', value: SCRIPT } });
  return [buildHttpFilter('envoy.filters.http.lua', LuaSchema, create(LuaSchema, { defaultSourceCode }))];
}

/** Filters of a policy that tell callers of limits: one for local ones, one for global ones. */
function tellersOf({ limits = [], response, dryRun }: RateLimitPolicySpec): number {
  if (dryRun === true || response?.limitHeaders === false) return 0;
  return new Set(limits.map(isGlobal)).size;
}
