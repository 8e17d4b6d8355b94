import { create } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import { FaultDelaySchema } from '../../generated/envoy/envoy/extensions/filters/common/fault/v3/fault_pb.js';
import { CorsPolicySchema } from '../../generated/envoy/envoy/extensions/filters/http/cors/v3/cors_pb.js';
import {
  type FaultAbort,
  FaultAbortSchema,
  HTTPFaultSchema,
} from '../../generated/envoy/envoy/extensions/filters/http/fault/v3/fault_pb.js';
import type { Cors, Fault, HttpRule } from '../mesh/route-rule.ts';
import { milliseconds, pack } from './encoding.ts';
import { CORS_FILTER, FAULT_FILTER } from './http-filters.ts';
import { buildPercent, buildRuntimePercent } from './http-route-percent.ts';
import { buildStringMatcher } from './string-matchers.ts';

/** `typed_per_filter_config` of a rule's routes: what its filters do, which do nothing elsewhere. */
export function buildFilterConfig({ fault, cors }: HttpRule): Record<string, Any> {
  return {
    ...(cors === undefined ? {} : { [CORS_FILTER]: buildCors(cors) }),
    ...(fault === undefined ? {} : { [FAULT_FILTER]: buildFault(fault) }),
  };
}

function buildCors(cors: Cors): Any {
  const policy = create(CorsPolicySchema, {
    allowOriginStringMatch: cors.allowOrigins.map(buildStringMatcher),
    allowMethods: cors.allowMethods.join(),
    allowHeaders: cors.allowHeaders.join(),
    exposeHeaders: cors.exposeHeaders.join(),
    // The header knows whole seconds only.
    maxAge: cors.maxAgeMs === undefined ? '' : String(Math.trunc(cors.maxAgeMs / 1000)),
    ...(cors.allowCredentials === undefined ? {} : { allowCredentials: cors.allowCredentials }),
    filterEnabled: buildRuntimePercent(100),
    forwardNotMatchingPreflights: cors.unmatchedPreflights !== 'IGNORE',
  });
  return pack(CorsPolicySchema, policy);
}

function buildFault({ delay, abort }: Fault): Any {
  const errorType = abort === undefined ? undefined : buildError(abort);
  const config = create(HTTPFaultSchema, {
    // Envoy refuses a delay of nothing.
    ...(delay !== undefined && delay.fixedMs > 0
      ? {
          delay: create(FaultDelaySchema, {
            faultDelaySecifier: { case: 'fixedDelay', value: milliseconds(delay.fixedMs) },
            percentage: buildPercent(delay.percent),
          }),
        }
      : {}),
    ...(abort !== undefined && errorType !== undefined
      ? { abort: create(FaultAbortSchema, { errorType, percentage: buildPercent(abort.percent) }) }
      : {}),
  });
  return pack(HTTPFaultSchema, config);
}

function buildError({ httpStatus, grpcStatus }: NonNullable<Fault['abort']>): FaultAbort['errorType'] | undefined {
  if (httpStatus !== undefined) return { case: 'httpStatus', value: httpStatus };
  return grpcStatus === undefined ? undefined : { case: 'grpcStatus', value: grpcStatus };
}
