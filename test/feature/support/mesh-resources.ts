import { create, type DescMessage, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { type Any, anyPack } from '@bufbuild/protobuf/wkt';
import { AccessLogSchema } from '../../../generated/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import { ClusterSchema } from '../../../generated/envoy/envoy/config/cluster/v3/cluster_pb.js';
import { type Address, AddressSchema } from '../../../generated/envoy/envoy/config/core/v3/address_pb.js';
import {
  ApiVersion,
  type ConfigSource,
  ConfigSourceSchema,
} from '../../../generated/envoy/envoy/config/core/v3/config_source_pb.js';
import { ClusterLoadAssignmentSchema } from '../../../generated/envoy/envoy/config/endpoint/v3/endpoint_pb.js';
import { ListenerSchema } from '../../../generated/envoy/envoy/config/listener/v3/listener_pb.js';
import { RouteConfigurationSchema } from '../../../generated/envoy/envoy/config/route/v3/route_pb.js';
import {
  Config_Histogram_Unit,
  ConfigSchema,
} from '../../../generated/envoy/envoy/extensions/access_loggers/stats/v3/stats_pb.js';
import { RouterSchema } from '../../../generated/envoy/envoy/extensions/filters/http/router/v3/router_pb.js';
import { HttpConnectionManagerSchema } from '../../../generated/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { SecretSchema } from '../../../generated/envoy/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { DownstreamTlsContextSchema } from '../../../generated/envoy/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
import type { ServerCertificate } from '../../../operator/ads/server-credentials.ts';
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  LISTENER_TYPE,
  ROUTE_TYPE,
  SECRET_TYPE,
  type XdsResource,
} from '../../../operator/xds/resource.ts';
import { makeResource } from './resource-table.ts';

/** An EDS cluster. @param extraMs added to the connect timeout of 1 s, below 1,000: another value is another cluster */
export function cluster(name: string, extraMs = 0): XdsResource {
  return makeResource(
    CLUSTER_TYPE,
    name,
    toBinary(
      ClusterSchema,
      create(ClusterSchema, {
        name,
        clusterDiscoveryType: { case: 'type', value: 3 },
        edsClusterConfig: { edsConfig: adsSource() },
        connectTimeout: { seconds: 1n, nanos: extraMs * 1_000_000 },
      }),
    ),
  );
}

/** The endpoints of a cluster, on loopback. */
export function endpoints(clusterName: string, ports: readonly number[]): XdsResource {
  const lbEndpoints = ports.map((port) => ({
    hostIdentifier: { case: 'endpoint' as const, value: { address: loopback(port) } },
  }));
  const assignment = create(ClusterLoadAssignmentSchema, { clusterName, endpoints: [{ lbEndpoints }] });
  return makeResource(ENDPOINT_TYPE, clusterName, toBinary(ClusterLoadAssignmentSchema, assignment));
}

/** A route configuration that splits all requests by weight. */
export function routes(name: string, weights: Readonly<Record<string, number>>): XdsResource {
  const clusters = Object.entries(weights).map(([cluster, weight]) => ({ name: cluster, weight }));
  const route = create(RouteConfigurationSchema, {
    name,
    virtualHosts: [
      {
        name: 'all',
        domains: ['*'],
        routes: [
          {
            match: { pathSpecifier: { case: 'prefix', value: '/' } },
            action: {
              case: 'route',
              value: { clusterSpecifier: { case: 'weightedClusters', value: { clusters } } },
            },
          },
        ],
      },
    ],
  });
  return makeResource(ROUTE_TYPE, name, toBinary(RouteConfigurationSchema, route));
}

/** A listener on loopback: TLS with the secret `default`, HTTP, routes by name, requests counted as in the mesh. */
export function listener(name: string, port: number, routeName: string): XdsResource {
  const manager = create(HttpConnectionManagerSchema, {
    statPrefix: name,
    routeSpecifier: { case: 'rds', value: { routeConfigName: routeName, configSource: adsSource() } },
    httpFilters: [
      { name: 'router', configType: { case: 'typedConfig', value: pack(RouterSchema, create(RouterSchema)) } },
    ],
    accessLog: [statsLogger()],
  });
  const tls = create(DownstreamTlsContextSchema, {
    commonTlsContext: {
      tlsCertificateSdsSecretConfigs: [{ name: 'default', sdsConfig: adsSource() }],
    },
  });
  const message = create(ListenerSchema, {
    name,
    address: loopback(port),
    filterChains: [
      {
        filters: [
          { name: 'http', configType: { case: 'typedConfig', value: pack(HttpConnectionManagerSchema, manager) } },
        ],
        transportSocket: {
          name: 'tls',
          configType: { case: 'typedConfig', value: pack(DownstreamTlsContextSchema, tls) },
        },
      },
    ],
  });
  return makeResource(LISTENER_TYPE, name, toBinary(ListenerSchema, message));
}

/** A certificate and key, for SDS. */
export function secret(name: string, { cert, key }: ServerCertificate): XdsResource {
  const inline = (text: string) => ({ specifier: { case: 'inlineString' as const, value: text } });
  const message = create(SecretSchema, {
    name,
    type: { case: 'tlsCertificate', value: { certificateChain: inline(cert), privateKey: inline(key) } },
  });
  return makeResource(SECRET_TYPE, name, toBinary(SecretSchema, message));
}

function statsLogger() {
  const tag = (name: string, valueFormat: string) => ({ name, valueFormat });
  const tags = [
    tag('reporter', 'source'),
    tag('response_code', '%RESPONSE_CODE%'),
    tag('response_flags', '%RESPONSE_FLAGS%'),
    tag('upstream_cluster', '%UPSTREAM_CLUSTER%'),
  ];
  const config = create(ConfigSchema, {
    statsScope: {},
    counters: [{ stat: { name: 'istio_requests_total', tags }, valueFixed: 1n }],
    histograms: [
      {
        stat: { name: 'istio_request_duration_milliseconds', tags },
        unit: Config_Histogram_Unit.Milliseconds,
        valueFormat: '%DURATION%',
      },
    ],
  });
  return create(AccessLogSchema, {
    name: 'stats',
    configType: { case: 'typedConfig', value: pack(ConfigSchema, config) },
  });
}

function adsSource(): ConfigSource {
  return create(ConfigSourceSchema, {
    configSourceSpecifier: { case: 'ads', value: {} },
    resourceApiVersion: ApiVersion.V3,
  });
}

function loopback(port: number): Address {
  return create(AddressSchema, {
    address: {
      case: 'socketAddress',
      value: { address: '127.0.0.1', portSpecifier: { case: 'portValue', value: port } },
    },
  });
}

function pack<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Any {
  return anyPack(schema, message);
}
