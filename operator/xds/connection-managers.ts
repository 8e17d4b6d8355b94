import { create } from '@bufbuild/protobuf';
import type { PathNormalization } from '../../api/mesh-config.ts';
import type { AccessLog } from '../../generated/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import { HttpProtocolOptionsSchema } from '../../generated/envoy/envoy/config/core/v3/protocol_pb.js';
import type { Filter } from '../../generated/envoy/envoy/config/listener/v3/listener_components_pb.js';
import type { RouteConfiguration } from '../../generated/envoy/envoy/config/route/v3/route_pb.js';
import {
  type HttpConnectionManager,
  HttpConnectionManager_ForwardClientCertDetails,
  HttpConnectionManager_PathWithEscapedSlashesAction,
  HttpConnectionManager_ServerHeaderTransformation,
  HttpConnectionManagerSchema,
  type LocalReplyConfig,
  LocalReplyConfigSchema,
} from '../../generated/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { RateLimitRules } from '../mesh/rate-limits.ts';
import { adsSource } from './config-source.ts';
import { milliseconds } from './encoding.ts';
import type { Question } from './external-authorization.ts';
import { buildHttpFilters, CLUSTER_WAIT_MS, type FilterContext } from './http-filters.ts';
import type { TokenProvider } from './jwt-providers.ts';
import { UNDELIVERED_HEADER } from './names.ts';
import { buildNetworkFilter } from './network-filter.ts';
import type { Authorization } from './rbac.ts';
import type { ManagerTracing } from './tracing.ts';

/** How requests are to be told who called: on mTLS the certificate's SPIFFE ID, else nothing (and nothing a client made up). */
export type ClientIdentity = 'certificate' | 'none';

/** How long headers may take of somebody who has not shown who he is. */
const UNKNOWN_HEADERS_MS = 30_000;
/**
 * How long a request waits for a virtual host that the proxy does not have yet, in ms; it is answered 504 then. Envoy's filter waits for ever: what ends is the
 * stream, silent as it is, and a route that is known allows any silence.
 */
const HOST_WAIT_MS = CLUSTER_WAIT_MS;

/** The HTTP connection manager for requests that leave the pod; its routes come by RDS. */
export function buildOutboundManager(
  statPrefix: string,
  routes: string,
  accessLogs: readonly AccessLog[],
  onDemand = false,
  normalization?: PathNormalization,
  tracing?: ManagerTracing,
): Filter {
  const manager = buildManager({ direction: 'outbound', onDemand }, statPrefix, accessLogs, normalization);
  Object.assign(manager, tracing);
  if (onDemand) manager.streamIdleTimeout = milliseconds(HOST_WAIT_MS);
  manager.routeSpecifier = create(HttpConnectionManagerSchema, {
    routeSpecifier: { case: 'rds', value: { routeConfigName: routes, configSource: adsSource() } },
  }).routeSpecifier;
  return wrap(manager);
}

/**
 * The HTTP connection manager for requests that arrive; its routes are inline.
 * @param oneRequestPerConnection each answer ends its connection (HTTP/1.1 `connection: close`, HTTP/2 GOAWAY)
 * @param authorization who may call, and what
 * @param questions who is asked whether they may
 * @param tokens which tokens of end users are valid
 * @param rateLimits how much is taken
 * @param normalization of paths
 * @param tracing makes spans
 */
export function buildInboundManager(
  statPrefix: string,
  routes: RouteConfiguration,
  accessLogs: readonly AccessLog[],
  identity: ClientIdentity,
  oneRequestPerConnection: boolean,
  authorization: readonly Authorization[],
  questions: readonly Question[],
  tokens: readonly TokenProvider[],
  rateLimits: readonly RateLimitRules[],
  normalization: PathNormalization | undefined,
  tracing: ManagerTracing | undefined,
): Filter {
  const manager = buildManager(
    { direction: 'inbound', authorization, questions, tokens, rateLimits },
    statPrefix,
    accessLogs,
    normalization,
  );
  Object.assign(manager, tracing);
  if (oneRequestPerConnection) {
    manager.commonHttpProtocolOptions = create(HttpProtocolOptionsSchema, { maxRequestsPerConnection: 1 });
  }
  manager.routeSpecifier = { case: 'routeConfig', value: routes };
  manager.localReplyConfig = markUndelivered();
  if (identity === 'none') manager.requestHeadersTimeout = milliseconds(UNKNOWN_HEADERS_MS);
  else {
    manager.forwardClientCertDetails = HttpConnectionManager_ForwardClientCertDetails.SANITIZE_SET;
    manager.setCurrentClientCertDetails = create(HttpConnectionManagerSchema, {
      setCurrentClientCertDetails: { subject: true, uri: true, dns: true },
    }).setCurrentClientCertDetails;
  }
  return wrap(manager);
}

/**
 * Common to both directions. Bytes stay as they came where Envoy lets them: server header, request IDs, HTTP/1.0; no idle timeout on streams,
 * for WebSockets and long polls. Paths are normalised as Istio does, so that policies cannot be walked around.
 */
function buildManager(
  filters: FilterContext,
  statPrefix: string,
  accessLogs: readonly AccessLog[],
  normalization: PathNormalization = 'BASE',
): HttpConnectionManager {
  const decodes = normalization === 'DECODE_AND_MERGE_SLASHES';
  return create(HttpConnectionManagerSchema, {
    statPrefix,
    httpFilters: buildHttpFilters(filters),
    accessLog: [...accessLogs],
    useRemoteAddress: false,
    preserveExternalRequestId: true,
    serverHeaderTransformation: HttpConnectionManager_ServerHeaderTransformation.PASS_THROUGH,
    httpProtocolOptions: { acceptHttp10: true },
    streamIdleTimeout: milliseconds(0),
    upgradeConfigs: [{ upgradeType: 'websocket' }],
    normalizePath: true,
    mergeSlashes: decodes || normalization === 'MERGE_SLASHES',
    pathWithEscapedSlashesAction: decodes
      ? HttpConnectionManager_PathWithEscapedSlashesAction.UNESCAPE_AND_FORWARD
      : HttpConnectionManager_PathWithEscapedSlashesAction.KEEP_UNCHANGED,
  });
}

/**
 * Marks our own answer to requests for which no connection to the application could be made (response flag UF), and to those that come by a
 * connection from when the port was declared, which it is no longer: its cluster is gone (NC).
 */
function markUndelivered(): LocalReplyConfig {
  return create(LocalReplyConfigSchema, {
    mappers: [
      {
        filter: { filterSpecifier: { case: 'responseFlagFilter', value: { flags: ['UF', 'NC'] } } },
        headersToAdd: [{ header: { key: UNDELIVERED_HEADER, value: 'true' } }],
      },
    ],
  });
}

function wrap(manager: HttpConnectionManager): Filter {
  return buildNetworkFilter('envoy.filters.network.http_connection_manager', HttpConnectionManagerSchema, manager);
}
