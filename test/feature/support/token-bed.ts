import { once } from 'node:events';
import type { RequestOptions } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { AuthorizationPolicySpec } from '../../../api/authorization-policy.ts';
import type { RequestAuthenticationSpec } from '../../../api/request-authentication.ts';
import type { MeshObject } from '../../../operator/mesh/mesh-object.ts';
import { peerAuthentication, pod, SETTINGS, service } from '../../../operator/mesh/testing/objects.ts';
import { INBOUND_LISTENER, inboundCluster } from '../../../operator/xds/names.ts';
import { LISTENER_TYPE } from '../../../operator/xds/resource.ts';
import { envoyRegistry } from '../../../operator/xds/testing/envoy-registry.ts';
import { listenersBootstrap } from '../../../operator/xds/testing/listeners-bootstrap.ts';
import { MeshCache } from '../../../operator/xds/testing/mesh-cache.ts';
import { type Echo, startEchoBackend } from './echo-backend.ts';
import { runEnvoy } from './envoy-process.ts';
import { freePort } from './free-port.ts';
import { type Answer, call } from './http-call.ts';

/** What a Service of the workload has of policies. */
export interface Guarded {
  readonly jwtRules: NonNullable<RequestAuthenticationSpec['jwtRules']>;
  readonly authorization?: AuthorizationPolicySpec;
}

/** What became of a request. */
export interface Outcome extends Answer {
  /** As the application got it; undefined: it did not. */
  readonly got: Echo | undefined;
}

/** The real Envoy as the sidecar of one workload, with plaintext; each Service has a port and policies of its own. */
export interface TokenBed {
  call(service: string, options?: RequestOptions): Promise<Outcome>;
  /** A connection to the port of a Service, for requests byte by byte. */
  connect(service: string): Promise<Socket>;
  stop(): Promise<void>;
}

/** @param extra objects besides, such as fetched keys */
export async function startTokenBed(
  services: Readonly<Record<string, Guarded>>,
  extra: readonly MeshObject[] = [],
): Promise<TokenBed> {
  const backend = await startEchoBackend('app');
  const ports = new Map(Object.keys(services).map((name, index) => [name, 8080 + index]));
  const uid = 'uid-app';
  const mesh = new MeshCache(SETTINGS);
  mesh.put(
    { kind: 'Pod', object: pod('app', { uid, labels: { app: 'app' } }) },
    { kind: 'PeerAuthentication', object: peerAuthentication('shop/default', { mtls: { mode: 'DISABLE' } }) },
    ...Object.entries(services).flatMap(([name, guarded]) => objectsOf(name, ports.get(name) ?? 0, guarded)),
    ...extra,
  );
  const { policies } = mesh.snapshot;
  const problems = [...policies.values()].flatMap((view) =>
    view.problems.map(({ reason, message }) => `${reason} ${message}`),
  );
  if (problems.some((problem) => !problem.startsWith('NoKeys'))) throw new Error(problems.join('\n'));
  const proxy = { uid, podName: 'app', namespace: 'shop', serviceAccount: 'default' };
  const listener = mesh.cache.lookup(proxy, LISTENER_TYPE, INBOUND_LISTENER);
  if (listener === undefined) throw new Error('a workload has an inbound listener');
  const [entrance, adminPort] = [await freePort(), await freePort()];
  const clusters = Object.fromEntries([...ports.values()].map((port) => [inboundCluster(port), backend.port]));
  const config = listenersBootstrap(
    { listeners: [listener], clusters, http: '', entrances: { [INBOUND_LISTENER]: entrance }, adminPort },
    envoyRegistry(),
  );
  const process = await runEnvoy(config, adminPort);
  while (!(await process.admin('/ready')).startsWith('LIVE')) await new Promise((done) => setTimeout(done, 10));
  const open = async (name: string): Promise<Socket> => {
    const socket = connect(entrance, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(`PROXY TCP4 10.0.0.9 10.0.0.1 40000 ${ports.get(name)}\r\n`);
    return socket;
  };
  return {
    connect: open,
    async call(name, options = {}) {
      const socket = await open(name);
      const answer = await call({ ...options, createConnection: () => socket });
      socket.destroy();
      return { ...answer, got: answer.headers['x-from'] === undefined ? undefined : (JSON.parse(answer.body) as Echo) };
    },
    async stop() {
      await process.stop();
      backend.close();
    },
  };
}

function objectsOf(name: string, port: number, { jwtRules, authorization }: Guarded): MeshObject[] {
  const metadata = { name, namespace: 'shop', generation: 1 };
  const targetRefs = [{ kind: 'Service', group: '', name }];
  const apiVersion = 'security.istio.io/v1';
  const tokens = { apiVersion, kind: 'RequestAuthentication', metadata, spec: { targetRefs, jwtRules } };
  const callers = { apiVersion, kind: 'AuthorizationPolicy', metadata, spec: { targetRefs, ...authorization } };
  return [
    {
      kind: 'Service',
      object: service(name, { app: 'app' }, { ports: [{ name: 'http', port: 80, targetPort: port }] }),
    },
    { kind: 'RequestAuthentication', object: tokens },
    ...(authorization === undefined ? [] : [{ kind: 'AuthorizationPolicy' as const, object: callers }]),
  ];
}
