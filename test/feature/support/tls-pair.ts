import { create, type DescMessage, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import { ClusterSchema } from '../../../generated/envoy/envoy/config/cluster/v3/cluster_pb.js';
import type { TransportSocket } from '../../../generated/envoy/envoy/config/core/v3/base_pb.js';
import { ListenerSchema } from '../../../generated/envoy/envoy/config/listener/v3/listener_pb.js';
import { RouterSchema } from '../../../generated/envoy/envoy/extensions/filters/http/router/v3/router_pb.js';
import { HttpConnectionManagerSchema } from '../../../generated/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { HttpProtocolOptionsSchema } from '../../../generated/envoy/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js';
import { CLUSTER_TYPE, LISTENER_TYPE, type ResourceSource, type XdsResource } from '../../../operator/xds/resource.ts';
import { buildDownstreamTls, buildUpstreamTls } from '../../../operator/xds/tls-sockets.ts';
import { makeResource } from './resource-table.ts';

/** Identity of both workloads. */
const ID = 'spiffe://cluster.local/ns/shop/sa/default';

/** What two Envoys have, by the names of their pods: `caller` takes requests in plaintext and `server` hands them to a backend, with mTLS between them. */
export function tlsPair(callerPort: number, serverPort: number, backendPort: number): ResourceSource {
  return byPod(
    new Map([
      ['caller', [cluster('out', serverPort, buildUpstreamTls('out', [ID])), listener(callerPort, 'out')]],
      ['server', [cluster('in', backendPort), listener(serverPort, 'in', buildDownstreamTls())]],
    ]),
  );
}

/** What each pod has, by its name. */
function byPod(resources: ReadonlyMap<string, readonly XdsResource[]>): ResourceSource {
  return {
    typeUrls: [CLUSTER_TYPE, LISTENER_TYPE],
    wildcard: ({ podName }, typeUrl) =>
      new Map((resources.get(podName) ?? []).filter((one) => one.typeUrl === typeUrl).map((one) => [one.name, one])),
    lookup: ({ podName }, typeUrl, name) =>
      resources.get(podName)?.find((one) => one.typeUrl === typeUrl && one.name === name),
    onChange: () => () => {},
  };
}

function cluster(name: string, port: number, transportSocket?: TransportSocket): XdsResource {
  const options = create(HttpProtocolOptionsSchema, {
    commonHttpProtocolOptions: { maxRequestsPerConnection: 1 },
    upstreamProtocolOptions: {
      case: 'explicitHttpConfig',
      value: { protocolConfig: { case: 'httpProtocolOptions', value: {} } },
    },
  });
  const message = create(ClusterSchema, {
    name,
    clusterDiscoveryType: { case: 'type', value: 0 },
    connectTimeout: { seconds: 5n },
    loadAssignment: {
      clusterName: name,
      endpoints: [{ lbEndpoints: [{ hostIdentifier: { case: 'endpoint', value: { address: loopback(port) } } }] }],
    },
    typedExtensionProtocolOptions: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': anyPack(HttpProtocolOptionsSchema, options),
    },
    ...(transportSocket && { transportSocket }),
  });
  return makeResource(CLUSTER_TYPE, name, toBinary(ClusterSchema, message));
}

function listener(port: number, to: string, transportSocket?: TransportSocket): XdsResource {
  const route = {
    match: { pathSpecifier: { case: 'prefix' as const, value: '/' } },
    action: { case: 'route' as const, value: { clusterSpecifier: { case: 'cluster' as const, value: to } } },
  };
  const manager = create(HttpConnectionManagerSchema, {
    statPrefix: to,
    routeSpecifier: {
      case: 'routeConfig',
      value: { name: to, virtualHosts: [{ name: 'all', domains: ['*'], routes: [route] }] },
    },
    httpFilters: [{ name: 'router', configType: typed(RouterSchema, create(RouterSchema)) }],
  });
  const message = create(ListenerSchema, {
    name: to,
    address: loopback(port),
    filterChains: [
      {
        filters: [{ name: 'http', configType: typed(HttpConnectionManagerSchema, manager) }],
        ...(transportSocket && { transportSocket }),
      },
    ],
  });
  return makeResource(LISTENER_TYPE, to, toBinary(ListenerSchema, message));
}

const typed = <Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>) => ({
  case: 'typedConfig' as const,
  value: anyPack(schema, message),
});

function loopback(port: number) {
  const portSpecifier = { case: 'portValue' as const, value: port };
  return { address: { case: 'socketAddress' as const, value: { address: '127.0.0.1', portSpecifier } } };
}
