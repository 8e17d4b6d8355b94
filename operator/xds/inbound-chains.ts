import { create } from '@bufbuild/protobuf';
import type { TlsVersion } from '../../api/mesh-config.ts';
import type { AccessLog } from '../../generated/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import {
  type Filter,
  type FilterChain,
  type FilterChainMatch,
  FilterChainMatchSchema,
  FilterChainSchema,
} from '../../generated/envoy/envoy/config/listener/v3/listener_components_pb.js';
import type { StringMatcher } from '../../generated/envoy/envoy/type/matcher/v3/string_pb.js';
import { MESH_ALPN } from '../../proxy/names.ts';
import { INBOUND_PORT } from '../../proxy/ports.ts';
import { isDeclaredHttp } from '../mesh/protocol.ts';
import { buildAccessLoggers } from './access-loggers.ts';
import { buildConnectionLimits, buildTcpBandwidth } from './connection-limits.ts';
import { buildInboundManager } from './connection-managers.ts';
import { milliseconds } from './encoding.ts';
import { buildQuestions } from './external-authorization.ts';
import { buildNetworkQuestions } from './external-authorization-network.ts';
import { buildInboundRoutes } from './inbound-routes.ts';
import { type InboundPortShape, type InboundShape, isAbout } from './inbound-shape.ts';
import { tokenProviders } from './jwt-providers.ts';
import { BLACK_HOLE_CLUSTER, BLOCK_CHAIN, HTTP_ALPN, INBOUND_PASSTHROUGH_CLUSTER, inboundCluster } from './names.ts';
import { buildAuthorization } from './rbac.ts';
import { buildNetworkRbac } from './rbac-filters.ts';
import { RefusalLogs } from './refusal-logs.ts';
import { buildStatsLoggers, inboundTags } from './stats-logger.ts';
import { admitConnections } from './tcp-admission.ts';
import { buildTcpProxy } from './tcp-proxies.ts';
import { buildTcpStatsLoggers } from './tcp-stats-loggers.ts';
import { buildDownstreamTls } from './tls-sockets.ts';
import { buildTracing, type ManagerTracing } from './tracing.ts';

/** ALPN of proxies (ours and Istio's) that carry HTTP they have recognised, and of proxies that do not say. */
const HTTP_ALPNS = [HTTP_ALPN, 'istio-http/1.0', 'istio-http/1.1', 'istio-h2'];
const MESH_ALPNS = [MESH_ALPN, 'istio-peer-exchange'];
/** How long a handshake may take: nobody has shown who he is before it ends. Without it, it would be as long as a connection may be silent, a day. */
const HANDSHAKE_MS = 15_000;
/** What the HTTP inspector reports. */
const PLAIN_HTTP = ['http/1.0', 'http/1.1', 'h2c'];

/** Kinds of connection, each with a chain of its own per port. `appTls` is TLS of the application's own, carried as it is. */
type Kind = 'mtls' | 'mtls-http' | 'plain' | 'plain-http' | 'appTls';

/** What the chains of a listener are built from. */
interface Side {
  readonly shape: InboundShape;
  readonly refusals: RefusalLogs;
  /** For whom requests and connections are told to. */
  readonly loggers: readonly AccessLog[];
  readonly tracing: ManagerTracing | undefined;
}

/** All chains of an inbound listener: the port's own, those for other ports, and the one that closes connections made to the proxy itself. */
export function buildInboundChains(shape: InboundShape): FilterChain[] {
  const { telemetry } = shape;
  const side = {
    shape,
    refusals: new RefusalLogs(shape),
    loggers: telemetry === undefined ? [] : buildAccessLoggers(telemetry.server.accessLogs, telemetry),
    tracing: telemetry && buildTracing(telemetry.server.tracing, telemetry),
  };
  return [
    buildBlockChain(),
    ...shape.ports.flatMap((port) => kinds(port).map((kind) => buildPortChain(side, port, kind))),
    ...tcpKinds(shape.mode).map((kind) => buildOtherChain(side, kind)),
  ];
}

function isMutualTls(kind: Kind): boolean {
  return kind.startsWith('mtls');
}

function kinds(port: InboundPortShape): Kind[] {
  const tcp = tcpKinds(port.mode);
  if (port.protocol !== 'auto') return tcp;
  // More specific matches win, whatever the order.
  const http: Kind[] = [];
  if (tcp.includes('mtls')) http.push('mtls-http');
  if (tcp.includes('plain')) http.push('plain-http');
  return [...http, ...tcp];
}

function tcpKinds(mode: InboundPortShape['mode']): Kind[] {
  if (mode === 'STRICT') return ['mtls'];
  return mode === 'PERMISSIVE' ? ['mtls', 'plain', 'appTls'] : ['plain', 'appTls'];
}

function buildPortChain(side: Side, port: InboundPortShape, kind: Kind): FilterChain {
  const { shape } = side;
  const http = kind.endsWith('-http') || (isDeclaredHttp(port.protocol) && kind !== 'appTls');
  const alpns = port.protocol === 'auto' ? undefined : [...HTTP_ALPNS, ...MESH_ALPNS];
  const match = matchKind(kind, alpns, port.port);
  const name = `${kind}|${port.port}`;
  if (http) {
    const limits = buildConnectionLimits(shape.rateLimits, port.port);
    return buildChain(name, match, [...limits, buildHttp(side, port, kind)], kind, shape.minTls);
  }
  const cluster = port.declared ? inboundCluster(port.port) : INBOUND_PASSTHROUGH_CLUSTER;
  return buildTcpChain(name, match, kind, side, {
    port: port.port,
    service: port.service,
    cluster,
    prefix: `inbound_${port.port}`,
  });
}

function buildOtherChain(side: Side, kind: Kind): FilterChain {
  const match = matchKind(kind, [...HTTP_ALPNS, ...MESH_ALPNS]);
  const target = { port: undefined, service: undefined, cluster: INBOUND_PASSTHROUGH_CLUSTER, prefix: 'inbound_other' };
  return buildTcpChain(`${kind}|other`, match, kind, side, target);
}

/** Where bytes of a chain go. */
interface TcpTarget {
  readonly port: number | undefined;
  /** Hostname of the service that the port belongs to. */
  readonly service: string | undefined;
  readonly cluster: string;
  readonly prefix: string;
}

function buildTcpChain(
  name: string,
  match: FilterChainMatch,
  kind: Kind,
  { shape, refusals, loggers }: Side,
  { port, service, cluster, prefix }: TcpTarget,
): FilterChain {
  const { authorization, rateLimits } = shape;
  const admitted = admitConnections(authorization, port);
  const names = typeof admitted === 'string' ? [] : admitted;
  // Who shows no certificate has no name.
  const isClosed = admitted === 'nobody' || (names.length > 0 && !isMutualTls(kind));
  const handshake = names.length > 0 ? 'handshake' : undefined;
  const accessLogs = [...refusals.at(port, 'tcp', isClosed ? 'nowhere' : handshake), ...loggers];
  const mutualTls = isMutualTls(kind);
  const proxy = buildTcpProxy(prefix, [{ cluster: isClosed ? BLACK_HOLE_CLUSTER : cluster, weight: 100 }], {
    accessLogs,
    stats: buildTcpStatsLoggers(inboundTags({ service, mutualTls }), shape.telemetry?.server.tagged),
    afterHandshake: mutualTls,
  });
  const rbac = buildNetworkRbac(buildAuthorization(authorization, port, 'tcp'), prefix);
  const asked = buildNetworkQuestions(buildQuestions(authorization, port, 'tcp'), prefix);
  const filters = [
    ...buildConnectionLimits(rateLimits, port),
    ...asked,
    ...rbac,
    ...buildTcpBandwidth(rateLimits, port),
  ];
  return buildChain(name, match, [...filters, proxy], kind, shape.minTls, names);
}

function buildBlockChain(): FilterChain {
  const match = create(FilterChainMatchSchema, { destinationPort: INBOUND_PORT });
  const proxy = buildTcpProxy(BLOCK_CHAIN, [{ cluster: BLACK_HOLE_CLUSTER, weight: 100 }]);
  return create(FilterChainSchema, { name: BLOCK_CHAIN, filterChainMatch: match, filters: [proxy] });
}

function buildChain(
  name: string,
  filterChainMatch: FilterChainMatch,
  filters: Filter[],
  kind: Kind,
  minTls: TlsVersion | undefined,
  names: readonly StringMatcher[] = [],
): FilterChain {
  const chain = create(FilterChainSchema, { name, filterChainMatch, filters });
  if (isMutualTls(kind)) {
    chain.transportSocket = buildDownstreamTls(names, minTls);
    chain.transportSocketConnectTimeout = milliseconds(HANDSHAKE_MS);
  }
  return chain;
}

/** @param alpns that mark mesh mTLS where HTTP and other bytes need not be told apart */
function matchKind(kind: Kind, alpns: string[] | undefined, port?: number): FilterChainMatch {
  const match = create(FilterChainMatchSchema, {
    transportProtocol: kind.startsWith('plain') ? 'raw_buffer' : 'tls',
    ...(port === undefined ? {} : { destinationPort: port }),
  });
  if (kind === 'mtls') match.applicationProtocols = alpns ?? MESH_ALPNS;
  if (kind === 'mtls-http') match.applicationProtocols = HTTP_ALPNS;
  if (kind === 'plain-http') match.applicationProtocols = PLAIN_HTTP;
  return match;
}

function buildHttp({ shape, refusals, loggers, tracing }: Side, port: InboundPortShape, kind: Kind): Filter {
  const mutualTls = isMutualTls(kind);
  const counting = buildStatsLoggers(inboundTags({ service: port.service, mutualTls }), shape.telemetry?.server.tagged);
  const identity = mutualTls ? 'certificate' : 'none';
  return buildInboundManager(
    `inbound_${port.port}`,
    buildInboundRoutes(port.port),
    [...counting, ...refusals.at(port.port, 'http'), ...loggers],
    identity,
    shape.terminating,
    buildAuthorization(shape.authorization, port.port, 'http'),
    buildQuestions(shape.authorization, port.port, 'http'),
    tokenProviders(shape.tokens, port.port),
    shape.rateLimits.filter((one) => isAbout(one, port.port)).map(({ rules }) => rules),
    shape.normalization,
    tracing,
  );
}
