import type { EnvoyConfig } from './envoy-types.ts';

/**
 * Largest program that a regular expression may compile to; Istio's bound. By Envoy's own, of 100, it would refuse all routes of a port for an
 * expression such as `a{1,100}`. What users may write is held to far less by the API's validation.
 */
const MAX_REGEX_PROGRAM = 32_768;

/**
 * Headers of one name are one value, joined by commas, to RBAC, as Istio documents it. By Envoy's default each is held alone against what is allowed, and
 * one that is suffices. That one that is denied suffices as well is in the policies (`matchHeaderList` in `operator/xds/rbac-values.ts`).
 */
const HEADERS_ALONE = 'envoy.reloadable_features.rbac_match_headers_individually';

/** Whether what requests are counted by may name what a request has, such as `%REQ(x-user)%` (`operator/xds/rate-limit-actions.ts`). */
const COUNT_BY_VALUES = 'envoy.reloadable_features.enable_formatter_for_ratelimit_action_descriptor_value';

/** Envoy's runtime settings, and room for those made through its admin interface. */
export function buildRuntime(): EnvoyConfig {
  return {
    layered_runtime: {
      layers: [
        {
          name: 'heddle',
          static_layer: {
            're2.max_program_size.error_level': MAX_REGEX_PROGRAM,
            [HEADERS_ALONE]: false,
            [COUNT_BY_VALUES]: true,
          },
        },
        { name: 'admin', admin_layer: {} },
      ],
    },
  };
}
