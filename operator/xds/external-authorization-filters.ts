import { create } from '@bufbuild/protobuf';
import { durationMs } from '../../api/duration.ts';
import { authorizerOf } from '../../api/extension-provider.ts';
import { ApiVersion } from '../../generated/envoy/envoy/config/core/v3/config_source_pb.js';
import { type GrpcService, GrpcServiceSchema } from '../../generated/envoy/envoy/config/core/v3/grpc_service_pb.js';
import { ExtAuthzSchema } from '../../generated/envoy/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb.js';
import { RBACSchema } from '../../generated/envoy/envoy/extensions/filters/http/rbac/v3/rbac_pb.js';
import type { HttpFilter } from '../../generated/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import {
  type MetadataMatcher,
  MetadataMatcherSchema,
} from '../../generated/envoy/envoy/type/matcher/v3/metadata_pb.js';
import { HttpStatusSchema } from '../../generated/envoy/envoy/type/v3/http_status_pb.js';
import type { Authorizer } from '../mesh/authorizer.ts';
import { hostnameOfKey } from '../mesh/hostname.ts';
import { milliseconds } from './encoding.ts';
import { clusterOf, type Question } from './external-authorization.ts';
import { buildHttpService } from './external-authorization-http.ts';
import { buildHttpFilter } from './http-filter.ts';
import type { FilterContext } from './http-filters.ts';
import { HTTP_RBAC } from './rbac-filters.ts';

/**
 * Asks providers about requests that policies with action CUSTOM match. What a provider is asked about is found before any is asked, for what one of
 * them does to a request is not what its caller sent.
 */
export function buildHttpQuestions({ questions = [] }: FilterContext): HttpFilter[] {
  return [...questions.map(buildMatching), ...questions.map(buildHttpAsking)];
}

/** Takes down, in dynamic metadata, whether one of the rules matches; decides nothing. */
function buildMatching({ authorizer, rules }: Question): HttpFilter {
  const config = create(RBACSchema, { shadowRules: rules, shadowRulesStatPrefix: statsOf(authorizer) });
  return buildHttpFilter(HTTP_RBAC, RBACSchema, config);
}

function buildHttpAsking({ authorizer }: Question): HttpFilter {
  const { failOpen, statusOnError } = authorizerOf(authorizer.provider).settings;
  const { envoyExtAuthzHttp: http, envoyExtAuthzGrpc: grpc } = authorizer.provider;
  const body = (http ?? grpc)?.includeRequestBodyInCheck;
  const config = create(ExtAuthzSchema, {
    ...(http === undefined
      ? { services: { case: 'grpcService' as const, value: buildGrpcService(authorizer) } }
      : buildHttpService(http, clusterOf(authorizer), hostnameOfKey(authorizer.service))),
    transportApiVersion: ApiVersion.V3,
    failureModeAllow: failOpen,
    filterEnabledMetadata: whereMatched(HTTP_RBAC, authorizer),
    ...(statusOnError === undefined
      ? {}
      : { statusOnError: create(HttpStatusSchema, { code: Number(statusOnError) }) }),
    ...(body === undefined ? {} : { withRequestBody: body }),
  });
  return buildHttpFilter('envoy.filters.http.ext_authz', ExtAuthzSchema, config);
}

/** How a provider is asked by gRPC. */
export function buildGrpcService(authorizer: Authorizer): GrpcService {
  const envoyGrpc = { clusterName: clusterOf(authorizer), authority: hostnameOfKey(authorizer.service) };
  return create(GrpcServiceSchema, {
    targetSpecifier: { case: 'envoyGrpc', value: envoyGrpc },
    timeout: milliseconds(durationMs(authorizerOf(authorizer.provider).settings.timeout)),
  });
}

/** Counters of the rules begin so, and what the rules take down. */
export function statsOf({ provider }: Authorizer): string {
  return `ext_authz/${provider.name}.`;
}

/** Where one of the rules matched: Envoy then takes down which. @param filter that took it down */
export function whereMatched(filter: string, authorizer: Authorizer): MetadataMatcher {
  return create(MetadataMatcherSchema, {
    filter,
    path: [{ segment: { case: 'key', value: `${statsOf(authorizer)}shadow_effective_policy_id` } }],
    value: { matchPattern: { case: 'presentMatch', value: true } },
  });
}
