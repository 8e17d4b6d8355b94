import { create } from '@bufbuild/protobuf';
import {
  BandwidthLimit_EnableMode,
  BandwidthLimitSchema,
} from '../../generated/envoy/envoy/extensions/filters/http/bandwidth_limit/v3/bandwidth_limit_pb.js';
import type { HttpFilter } from '../../generated/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { buildHttpFilter } from './http-filter.ts';
import type { FilterContext } from './http-filters.ts';
import { RATE_LIMIT_STATS } from './rate-limit-answer.ts';

/** Has bodies wait that are over their limit; those of requests and those of responses count apart. */
export function buildHttpBandwidth({ rateLimits = [] }: FilterContext): HttpFilter[] {
  return rateLimits.flatMap(({ spec: { bandwidth = {} } }) => [
    ...buildFilter(BandwidthLimit_EnableMode.REQUEST, bandwidth.receiveKiBPerSecond),
    ...buildFilter(BandwidthLimit_EnableMode.RESPONSE, bandwidth.sendKiBPerSecond),
  ]);
}

function buildFilter(enableMode: BandwidthLimit_EnableMode, limit: number | undefined): HttpFilter[] {
  if (limit === undefined) return [];
  const config = create(BandwidthLimitSchema, { statPrefix: RATE_LIMIT_STATS, enableMode, limitKbps: BigInt(limit) });
  return [buildHttpFilter('envoy.filters.http.bandwidth_limit', BandwidthLimitSchema, config)];
}
