import { create } from '@bufbuild/protobuf';
import { authorizerOf } from '../../api/extension-provider.ts';
import { ApiVersion } from '../../generated/envoy/envoy/config/core/v3/config_source_pb.js';
import type { Filter } from '../../generated/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { ExtAuthzSchema } from '../../generated/envoy/envoy/extensions/filters/network/ext_authz/v3/ext_authz_pb.js';
import { RBACSchema } from '../../generated/envoy/envoy/extensions/filters/network/rbac/v3/rbac_pb.js';
import type { Question } from './external-authorization.ts';
import { buildGrpcService, statsOf, whereMatched } from './external-authorization-filters.ts';
import { buildNetworkFilter } from './network-filter.ts';
import { NETWORK_RBAC } from './rbac-filters.ts';

/** Asks providers, by gRPC, about connections that policies with action CUSTOM match; those that they deny are closed. */
export function buildNetworkQuestions(questions: readonly Question[], statPrefix: string): Filter[] {
  return [
    ...questions.map((one) => buildMatching(one, statPrefix)),
    ...questions.map((one) => buildAsking(one, statPrefix)),
  ];
}

function buildMatching({ authorizer, rules }: Question, statPrefix: string): Filter {
  const config = create(RBACSchema, {
    shadowRules: rules,
    shadowRulesStatPrefix: statsOf(authorizer),
    statPrefix: `${statPrefix}.`,
  });
  return buildNetworkFilter(NETWORK_RBAC, RBACSchema, config);
}

function buildAsking({ authorizer }: Question, statPrefix: string): Filter {
  const config = create(ExtAuthzSchema, {
    statPrefix,
    grpcService: buildGrpcService(authorizer),
    transportApiVersion: ApiVersion.V3,
    failureModeAllow: authorizerOf(authorizer.provider).settings.failOpen,
    filterEnabledMetadata: whereMatched(NETWORK_RBAC, authorizer),
  });
  return buildNetworkFilter('envoy.filters.network.ext_authz', ExtAuthzSchema, config);
}
