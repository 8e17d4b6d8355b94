import { create } from '@bufbuild/protobuf';
import type { RateLimitAnswer } from '../../api/rate-limit-policy.ts';
import {
  type HeaderValueOption,
  HeaderValueOption_HeaderAppendAction,
  HeaderValueOptionSchema,
  type RuntimeFractionalPercent,
  RuntimeFractionalPercentSchema,
} from '../../generated/envoy/envoy/config/core/v3/base_pb.js';
import { type HttpStatus, HttpStatusSchema } from '../../generated/envoy/envoy/type/v3/http_status_pb.js';
import { dryRunLimitsToken } from '../../proxy/names.ts';
import type { ObjectRef } from '../mesh/object-ref.ts';

/** Default status; with it alone does Envoy say when to come back. */
export const TOO_MANY_REQUESTS = 429;

/** Status of the answer to a request over its limit. */
export function answerStatus({ status: code = TOO_MANY_REQUESTS }: RateLimitAnswer): HttpStatus {
  return create(HttpStatusSchema, { code });
}

/** Headers that this answer has besides those of limits. */
export function answerHeaders({ headers = {} }: RateLimitAnswer): HeaderValueOption[] {
  return Object.entries(headers).map(([key, value]) =>
    create(HeaderValueOptionSchema, {
      header: { key, value },
      appendAction: HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
    }),
  );
}

/** Share of requests, 0 to 100. */
export function percent(numerator: number): RuntimeFractionalPercent {
  return create(RuntimeFractionalPercentSchema, { defaultValue: { numerator } });
}

/** How counters of limits begin. */
export const RATE_LIMIT_STATS = 'rate_limit';

/** How a policy's counters begin: of one in dry run by its name, by which telemetry finds them. */
export function rateLimitStats({ namespace, name }: ObjectRef, dryRun: boolean): string {
  return dryRun ? dryRunLimitsToken(namespace, name) : RATE_LIMIT_STATS;
}
