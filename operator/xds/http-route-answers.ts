import { create } from '@bufbuild/protobuf';
import {
  RedirectAction_RedirectResponseCode as Code,
  DirectResponseActionSchema,
  RedirectActionSchema,
  type Route,
} from '../../generated/envoy/envoy/config/route/v3/route_components_pb.js';
import type { HttpAction, Redirect } from '../mesh/route-rule.ts';

/**
 * Longest body of a direct response, in bytes, for `max_direct_response_body_size_bytes` of the route configuration, which Envoy else refuses as a
 * whole beyond 4096. The API's validation holds bodies to the same.
 */
export const MAX_RESPONSE_BODY = 1_048_576;

const CODES: ReadonlyMap<number, Code> = new Map([
  [301, Code.MOVED_PERMANENTLY],
  [302, Code.FOUND],
  [303, Code.SEE_OTHER],
  [307, Code.TEMPORARY_REDIRECT],
  [308, Code.PERMANENT_REDIRECT],
]);
const DEFAULT_PORTS: ReadonlyMap<string, number> = new Map([
  ['http', 80],
  ['https', 443],
]);

/**
 * An answer that sends the client elsewhere.
 *
 * @param requestPort the port that the client addresses; Envoy can't derive it
 */
export function buildRedirect(redirect: Redirect, requestPort: number): Route['action'] {
  const { uri, authority, scheme } = redirect;
  const action = create(RedirectActionSchema, {
    hostRedirect: authority ?? '',
    ...(uri ? { pathRewriteSpecifier: { case: 'pathRedirect', value: uri } } : {}),
    ...(scheme ? { schemeRewriteSpecifier: { case: 'schemeRedirect', value: scheme } } : {}),
    portRedirect: redirectPort(redirect, requestPort),
    responseCode: CODES.get(redirect.code) ?? Code.MOVED_PERMANENTLY,
  });
  return { case: 'redirect', value: action };
}

/** 0: the port that goes without saying, which it also does where it is the scheme's own. */
function redirectPort({ port, scheme }: Redirect, requestPort: number): number {
  if (port === undefined || port === 'FROM_PROTOCOL_DEFAULT') return 0;
  const number = port === 'FROM_REQUEST_PORT' ? requestPort : port;
  // What a sidecar takes from its client as HTTP is plaintext.
  return number === DEFAULT_PORTS.get(scheme || 'http') ? 0 : number;
}

/** An answer of the client's own proxy. */
export function buildResponse({ status, body }: Extract<HttpAction, { kind: 'respond' }>): Route['action'] {
  const action = create(DirectResponseActionSchema, {
    status,
    ...(body === undefined || body.length === 0
      ? {}
      : {
          body: {
            specifier:
              typeof body === 'string' ? { case: 'inlineString', value: body } : { case: 'inlineBytes', value: body },
          },
        }),
  });
  return { case: 'directResponse', value: action };
}
