import { create } from '@bufbuild/protobuf';
import { TapSchema } from '../../generated/envoy/envoy/extensions/filters/http/tap/v3/tap_pb.js';
import type { HttpFilter } from '../../generated/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { TAP_ID } from '../../proxy/names.ts';
import { buildHttpFilter } from './http-filter.ts';

/** The same in every filter chain, so it is encoded once. */
const TAP = [
  buildHttpFilter(
    'envoy.filters.http.tap',
    TapSchema,
    create(TapSchema, {
      commonConfig: { configType: { case: 'adminConfig', value: { configId: TAP_ID } } },
      recordHeadersReceivedTime: true,
      recordDownstreamConnection: true,
    }),
  ),
];

/**
 * Lets requests be watched over the admin interface's `/tap`, as `heddle tap` does. While nobody watches it does nothing. It stands before all that could
 * answer, so that refused requests are seen too.
 */
export function buildTap(): readonly HttpFilter[] {
  return TAP;
}
