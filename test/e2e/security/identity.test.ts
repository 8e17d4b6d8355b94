import { create, toBinary } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect } from '@jest/globals';
import { StreamMetricsMessageSchema } from '../../../generated/envoy/envoy/service/metrics/v3/metrics_service_pb.js';
import { waitUntil } from '../../../hack/mesh/wait.ts';
import { CLUSTER_TYPE } from '../../../operator/xds/resource.ts';
import { XDS_SERVER_NAME } from '../../../proxy/names.ts';
import { XDS_PORT } from '../../../proxy/ports.ts';
import { AdsClient, type AdsClientOptions } from '../../feature/support/ads-client.ts';
import { nodeIdOf } from '../../feature/support/ads-harness.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { operatorPod, type PodIdentity, podIdentity, podToken } from '../support/pod-identity.ts';
import { ProxyAdmin } from '../support/proxy-admin.ts';
import { Client } from '../support/testbed-client.ts';
import { client, EAGER, server } from '../support/testbed-objects.ts';

const SOTW_PATH = '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources';
const METRICS_PATH = '/envoy.service.metrics.v3.MetricsService/StreamMetrics';

const mesh = useNamespace('identity');
const neighbour = useNamespace('neighbour');
const both = [mesh, neighbour];
const inside = new Client(mesh, 'deployment/caller');

let operator: Awaited<ReturnType<typeof operatorPod>>;
let caller: PodIdentity;
let echo: PodIdentity;
let stranger: PodIdentity;
let bare: PodIdentity;

const streams: AdsClient[] = [];
afterEach(() => {
  for (const stream of streams.splice(0)) stream.close();
});

clusterSetup(
  both,
  async () => {
    await Promise.all([
      mesh.apply(
        ...server('echo', { annotations: EAGER }),
        ...client('caller'),
        ...client('bare', { labels: { 'sidecar.istio.io/inject': 'false' } }),
      ),
      neighbour.apply(...client('caller')),
    ]);
    await Promise.all([
      ...['echo', 'caller', 'bare'].map((name) => mesh.rolledOut(name)),
      neighbour.rolledOut('caller'),
    ]);
    caller = await podIdentity(mesh, 'caller');
    echo = await podIdentity(mesh, 'echo');
    bare = await podIdentity(mesh, 'bare');
    stranger = await podIdentity(neighbour, 'caller');
    operator = await operatorPod(mesh);
  },
  240_000,
);

/** A stream from outside of the cluster's pods to the operator. */
function open(options: Partial<AdsClientOptions>): AdsClient {
  const { ip: host, rootPem } = operator;
  const nodeId = nodeIdOf({ ...caller, ips: [caller.ip] });
  const stream = new AdsClient({ host, port: XDS_PORT, serverName: XDS_SERVER_NAME, rootPem, nodeId, ...options });
  streams.push(stream);
  return stream;
}

const nodeId = (pod: PodIdentity): string => nodeIdOf({ ...pod, ips: [pod.ip] });

/** Asks for clusters, and gives the status that the stream ends with and the words that go with it. */
async function refusal(options: Partial<AdsClientOptions>): Promise<[string | undefined, string]> {
  const stream = open(options);
  stream.send(CLUSTER_TYPE);
  const { code, details } = await stream.ended;
  expect(stream.responses).toEqual([]);
  stream.close();
  return [status[code], details];
}

/** The token with another subject in it and the signature as it was. */
function forge(token: string): string {
  const [head = '', body = '', signature = ''] = token.split('.');
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as { sub: string };
  const forged = { ...claims, sub: 'system:serviceaccount:kube-system:default' };
  return [head, Buffer.from(JSON.stringify(forged)).toString('base64url'), signature].join('.');
}

describe('a stream to the operator', () => {
  clusterTest("is served with the pod's own token and node ID", both, async () => {
    const stream = open({ token: await podToken(mesh, echo), nodeId: nodeId(echo) });
    stream.send(CLUSTER_TYPE);
    const { resources } = await stream.next();
    expect(resources.map(({ name }) => name)).toContain(`outbound|80||echo.${mesh.name}.svc.cluster.local`);
  });

  clusterTest('is refused without a good token', both, async () => {
    expect(await refusal({})).toEqual([
      'UNAUTHENTICATED',
      'no authorization header; send the pod token as "Bearer TOKEN"',
    ]);
    expect(await refusal({ metadata: { authorization: 'Basic YTpi' } })).toEqual([
      'UNAUTHENTICATED',
      'the authorization header is not of the form "Bearer TOKEN"',
    ]);
    expect(await refusal({ token: 'garbage' })).toEqual([
      'UNAUTHENTICATED',
      'the bearer token is not a ServiceAccount token',
    ]);
    expect(await refusal({ token: await podToken(mesh, caller, { audience: 'vault' }) })).toEqual([
      'UNAUTHENTICATED',
      'the bearer token is not for the audience heddle',
    ]);
    expect(await refusal({ token: forge(await podToken(mesh, caller)) })).toEqual([
      'UNAUTHENTICATED',
      'the API server refused the bearer token',
    ]);
    expect(await refusal({ token: await podToken(mesh, caller, { bound: false }) })).toEqual([
      'PERMISSION_DENIED',
      'the bearer token is not bound to a pod; only projected tokens are',
    ]);
  });

  clusterTest('is refused with a good token of another pod', both, async () => {
    const own = `${mesh.name}/${caller.name}`;
    expect(await refusal({ token: await podToken(mesh, caller), nodeId: nodeId(echo) })).toEqual([
      'PERMISSION_DENIED',
      `the node ID names pod ${mesh.name}/${echo.name}, but the bearer token is of pod ${own}`,
    ]);
    expect(await refusal({ token: await podToken(neighbour, stranger) })).toEqual([
      'PERMISSION_DENIED',
      `the node ID names pod ${own}, but the bearer token is of pod ${neighbour.name}/${stranger.name}`,
    ]);
    const moved = nodeId({ ...caller, namespace: neighbour.name });
    expect(await refusal({ token: await podToken(mesh, caller), nodeId: moved })).toEqual([
      'PERMISSION_DENIED',
      `the node ID names pod ${neighbour.name}/${caller.name}, but the bearer token is of pod ${own}`,
    ]);
    const elsewhere = nodeId({ ...caller, ip: echo.ip });
    expect(await refusal({ token: await podToken(mesh, caller), nodeId: elsewhere })).toEqual([
      'PERMISSION_DENIED',
      `the node ID's address ${echo.ip} is not one of pod ${own}`,
    ]);
  });

  clusterTest('is refused to a pod without a sidecar', both, async () => {
    expect(await refusal({ token: await podToken(mesh, bare), nodeId: nodeId(bare) })).toEqual([
      'PERMISSION_DENIED',
      `pod ${mesh.name}/${bare.name} runs no sidecar of the mesh, so there is nothing to give it`,
    ]);
  });

  clusterTest('ends with its pod, whose tokens are good for nothing from then on', both, async () => {
    await mesh.apply(...client('brief'));
    await mesh.rolledOut('brief');
    const brief = await podIdentity(mesh, 'brief');
    const [used, fresh] = await Promise.all([podToken(mesh, brief), podToken(mesh, brief)]);
    // One ADS stream a pod: a second one would end that of its Envoy. Streams of metrics stand beside each other.
    const stream = open({ path: METRICS_PATH, token: used });
    const node = { id: nodeId(brief), cluster: 'brief' };
    const hello = create(StreamMetricsMessageSchema, { identifier: { node } });
    stream.call.write(Buffer.from(toBinary(StreamMetricsMessageSchema, hello)));
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await mesh.run('delete', 'deployment/brief', '--wait=false');
    await mesh.run('delete', 'pod', brief.name, '--force', '--grace-period=0');
    const { code, details } = await stream.ended;
    expect([status[code], details]).toEqual(['PERMISSION_DENIED', 'the pod is gone']);
    // The API server may take a token that it has seen for some seconds more.
    expect((await refusal({ token: used, nodeId: nodeId(brief) })).join(': ')).toMatch(
      /^(PERMISSION_DENIED: pod \S+ is gone|UNAUTHENTICATED: the API server refused the bearer token)$/,
    );
    expect(await refusal({ token: fresh, nodeId: nodeId(brief) })).toEqual([
      'UNAUTHENTICATED',
      'the API server refused the bearer token',
    ]);
  });

  clusterTest('of the state of the world is refused, with the way out', both, async () => {
    const wanted = ['UNIMPLEMENTED', expect.stringContaining('set ads_config.api_type to DELTA_GRPC')];
    expect(await refusal({ path: SOTW_PATH })).toEqual(wanted);
    expect(await refusal({ path: SOTW_PATH, token: await podToken(mesh, caller) })).toEqual(wanted);
  });

  clusterTest('of metrics is refused for the same reasons', both, async () => {
    expect((await refusal({ path: METRICS_PATH }))[0]).toBe('UNAUTHENTICATED');
    expect((await refusal({ path: METRICS_PATH, token: await podToken(mesh, bare) }))[0]).toBe('PERMISSION_DENIED');
  });
});

describe('real proxies', () => {
  clusterTest('are not disturbed by a hundred streams that are refused', both, async () => {
    const token = await podToken(mesh, caller);
    const [{ failures }] = await inside.loadDuring('http://echo/', { rate: 30 }, async () => {
      for (let round = 0; round < 20; round++) {
        await Promise.all([
          refusal({}),
          refusal({ token: 'garbage' }),
          refusal({ token: forge(token) }),
          refusal({ token, nodeId: nodeId(echo) }),
          refusal({ path: SOTW_PATH }),
        ]);
      }
    });
    expect(failures).toEqual({});
    for (const target of ['deployment/caller', 'deployment/echo']) {
      const stats = await new ProxyAdmin(mesh, target).stats('^cluster\\.heddle-xds\\.upstream_cx_');
      expect(stats['cluster.heddle-xds.upstream_cx_active']).toBeGreaterThanOrEqual(1);
      expect(stats['cluster.heddle-xds.upstream_cx_connect_fail']).toBe(0);
    }
    await mesh.run('scale', 'deployment/echo', '--replicas=2');
    await mesh.rolledOut('echo');
    await waitUntil('requests at the second pod', async () => {
      const { pods } = await inside.load('http://echo/', { rate: 20, seconds: 1 });
      return Object.keys(pods).length === 2 ? undefined : JSON.stringify(pods);
    });
    const { name, restarts } = await operatorPod(mesh);
    expect({ name, restarts }).toEqual({ name: operator.name, restarts: operator.restarts });
  });
});
