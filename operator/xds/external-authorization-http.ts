import { create } from '@bufbuild/protobuf';
import { durationMs } from '../../api/duration.ts';
import type { HttpAuthorizer } from '../../api/extension-provider.ts';
import {
  AuthorizationRequestSchema,
  AuthorizationResponseSchema,
  HttpServiceSchema,
} from '../../generated/envoy/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb.js';
import {
  type ListStringMatcher,
  ListStringMatcherSchema,
} from '../../generated/envoy/envoy/type/matcher/v3/string_pb.js';
import { milliseconds } from './encoding.ts';
import { matchText, readPattern } from './rbac-values.ts';

/** How a provider is asked by HTTP: by the method and the path of the request, with the headers and the body that its settings say. */
export function buildHttpService(settings: HttpAuthorizer, cluster: string, hostname: string) {
  const { timeout, pathPrefix = '', includeRequestHeadersInCheck, includeAdditionalHeadersInCheck } = settings;
  const additions = Object.entries(includeAdditionalHeadersInCheck).sort(([a], [b]) => (a < b ? -1 : 1));
  const value = create(HttpServiceSchema, {
    serverUri: {
      // Envoy wants one, and does not look at it.
      uri: `http://${hostname}`,
      httpUpstreamType: { case: 'cluster', value: cluster },
      timeout: milliseconds(durationMs(timeout)),
    },
    pathPrefix,
    ...(additions.length === 0
      ? {}
      : {
          authorizationRequest: create(AuthorizationRequestSchema, {
            headersToAdd: additions.map(([key, text]) => ({ key, value: text })),
          }),
        }),
    authorizationResponse: create(AuthorizationResponseSchema, {
      ...listed('allowedUpstreamHeaders', settings.headersToUpstreamOnAllow),
      ...listed('allowedClientHeaders', settings.headersToDownstreamOnDeny),
      ...listed('allowedClientHeadersOnSuccess', settings.headersToDownstreamOnAllow),
    }),
  });
  return {
    services: { case: 'httpService' as const, value },
    ...listed('allowedHeaders', includeRequestHeadersInCheck),
  };
}

/** A list of names of headers in a field; nothing where there are none. */
function listed<Field extends string>(
  field: Field,
  names: readonly string[],
): Partial<Record<Field, ListStringMatcher>> {
  if (names.length === 0) return {};
  const patterns = names.map((name) => matchText(readPattern(name), true));
  // Its only key is the field.
  return { [field]: create(ListStringMatcherSchema, { patterns }) } as Record<Field, ListStringMatcher>;
}
