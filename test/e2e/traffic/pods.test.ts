import { describe, expect } from '@jest/globals';
import { waitUntil } from '../../../hack/mesh/wait.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { ProxyAdmin } from '../support/proxy-admin.ts';
import { Client } from '../support/testbed-client.ts';
import { client, GREETING_PORT, HTTP_PORT, server, TCP_PORT } from '../support/testbed-objects.ts';

const mesh = useNamespace('traffic');
const outside = useNamespace('plain', {});
const inside = new Client(mesh, 'deployment/caller');
const outsider = new Client(outside, 'deployment/caller');

const headless = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'echo-headless' },
  spec: {
    clusterIP: 'None',
    selector: { app: 'echo' },
    ports: [
      { name: 'http', port: HTTP_PORT, targetPort: 'http' },
      { name: 'tcp', port: TCP_PORT },
    ],
  },
};

const sniffed = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'echo-sniffed' },
  spec: {
    selector: { app: 'echo' },
    ports: [
      { name: 'web', port: 8000, targetPort: HTTP_PORT },
      { name: 'raw', port: 9000, targetPort: TCP_PORT },
      { name: 'mail', port: 2500, targetPort: GREETING_PORT },
    ],
  },
};

const externalName = (target: string): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'echo-alias' },
  spec: { type: 'ExternalName', externalName: target, ports: [{ name: 'http', port: 80 }] },
});

clusterSetup(
  [mesh, outside],
  async () => {
    await Promise.all([
      mesh.apply(
        ...server('echo', { replicas: 3 }),
        ...client('caller'),
        headless,
        sniffed,
        externalName(`echo.${mesh.name}.svc.cluster.local`),
      ),
      outside.apply(...server('echo'), ...client('caller')),
    ]);
    await Promise.all([
      mesh.rolledOut('echo'),
      mesh.rolledOut('caller'),
      outside.rolledOut('echo'),
      outside.rolledOut('caller'),
    ]);
    await waitUntil('endpoints at the caller', async () => {
      const { status, error } = await inside.http('http://echo/');
      return status === 200 ? undefined : `${status ?? error}`;
    });
  },
  240_000,
);

describe('between injected pods', () => {
  clusterTest('HTTP/1.1 GET and POST arrive, with the identity of the caller', [mesh], async () => {
    const seen = await inside.echo('http://echo/');
    expect(seen.protocol).toBe('1.1');
    expect(seen.headers['x-forwarded-client-cert']).toContain(`URI=spiffe://cluster.local/ns/${mesh.name}/sa/caller`);
    const posted = await inside.echo('http://echo/', { method: 'POST', body: 'x'.repeat(100_000) });
    expect(posted.bodyBytes).toBe(100_000);
  });

  clusterTest('a forged identity header does not reach the application', [mesh, outside], async () => {
    const headers = { 'x-forwarded-client-cert': 'URI=spiffe://cluster.local/ns/kube-system/sa/admin' };
    const fromMesh = await inside.echo('http://echo/', { headers });
    expect(fromMesh.headers['x-forwarded-client-cert']).not.toContain('kube-system');
    const fromOutside = await outsider.echo(`http://echo.${mesh.name}/`, { headers });
    expect(fromOutside.headers['x-forwarded-client-cert']).toBeUndefined();
  });

  clusterTest('requests of one connection are spread over all ready endpoints', [mesh], async () => {
    const report = await inside.load('http://echo/', { rate: 60, seconds: 3 });
    expect(report.failures).toEqual({});
    expect(Object.keys(report.pods)).toHaveLength(3);
  });

  clusterTest('every spelling of the host works', [mesh], async () => {
    for (const host of ['echo', `echo.${mesh.name}`, `echo.${mesh.name}.svc`, `echo.${mesh.name}.svc.cluster.local`]) {
      expect((await inside.echo(`http://${host}/`)).protocol).toBe('1.1');
      expect((await inside.echo(`http://${host}:80/`)).protocol).toBe('1.1');
    }
  });

  clusterTest('HTTP/2 and gRPC, unary and streaming', [mesh], async () => {
    expect((await inside.http2('http://echo:81/')).status).toBe(200);
    const unary = await inside.grpc('http://echo:81', 'unary');
    expect(unary.status).toBe(0);
    expect(unary.body).toContain(`sa/caller`);
    const stream = await inside.grpc('http://echo:81', 'stream');
    expect(stream.status).toBe(0);
    expect(stream.body?.split('\n')).toEqual(['message 1', 'message 2', 'message 3']);
  });

  clusterTest('WebSocket', [mesh], async () => {
    const { body, error } = await inside.webSocket('http://echo/');
    expect(error).toBeUndefined();
    expect(body).toContain('hello');
  });

  clusterTest('raw TCP where the client speaks first, and where the server does', [mesh], async () => {
    expect((await inside.tcp('echo:90', 'ping')).body).toContain('ping');
    expect((await inside.tcp('echo:91')).body).toMatch(/^220 echo-/);
  });

  clusterTest('ports that name no protocol are sniffed: HTTP, TCP, and servers that speak first', [mesh], async () => {
    const seen = await inside.echo('http://echo-sniffed:8000/');
    expect(seen.headers['x-forwarded-client-cert']).toContain('sa/caller');
    expect((await inside.tcp('echo-sniffed:9000', 'ping')).body).toContain('ping');
    expect((await inside.tcp('echo-sniffed:2500')).body).toMatch(/^220 echo-/);
  });

  clusterTest('headless Services: HTTP by host, TCP by pod', [mesh], async () => {
    const seen = await inside.echo(`http://echo-headless:${HTTP_PORT}/`);
    expect(seen.headers['x-forwarded-client-cert']).toContain('sa/caller');
    expect((await inside.tcp(`echo-headless:${TCP_PORT}`, 'ping')).body).toContain('ping');
  });

  clusterTest('an ExternalName of a Service of the mesh', [mesh], async () => {
    const seen = await inside.echo('http://echo-alias/');
    expect(seen.headers['x-forwarded-client-cert']).toContain('sa/caller');
  });

  clusterTest('a pod that calls itself through its Service', [mesh], async () => {
    const self = new Client(mesh, 'deployment/echo');
    for (let i = 0; i < 6; i++) expect((await self.echo('http://echo/')).protocol).toBe('1.1');
  });

  clusterTest('the hop is TLS: both Envoys count handshakes, and none that failed', [mesh], async () => {
    const admin = new ProxyAdmin(mesh, 'deployment/caller');
    const filter = '^cluster\\.outbound\\|80\\|\\|echo\\..*ssl\\.handshake$';
    expect(await admin.total(filter)).toBeGreaterThan(0);
    const server = new ProxyAdmin(mesh, 'deployment/echo');
    expect(await server.total('^listener\\..*15006\\.ssl\\.handshake$')).toBeGreaterThan(0);
    expect(await server.total('^listener\\..*15006\\.ssl\\.fail_verify')).toBe(0);
  });
});

describe('to and from the outside', () => {
  clusterTest('plain pods call injected ones, and the other way', [mesh, outside], async () => {
    const incoming = await outsider.echo(`http://echo.${mesh.name}/`);
    expect(incoming.headers['x-forwarded-client-cert']).toBeUndefined();
    expect((await outsider.grpc(`http://echo.${mesh.name}:81`)).status).toBe(0);
    expect((await outsider.tcp(`echo.${mesh.name}:90`, 'ping')).body).toContain('ping');
    expect((await outsider.tcp(`echo.${mesh.name}:91`)).body).toMatch(/^220 echo-/);
    expect((await inside.echo(`http://echo.${outside.name}/`)).protocol).toBe('1.1');
    expect((await inside.grpc(`http://echo.${outside.name}:81`)).status).toBe(0);
    expect((await inside.tcp(`echo.${outside.name}:91`)).body).toMatch(/^220 echo-/);
  });

  clusterTest('destinations the mesh does not know pass through', [mesh, outside], async () => {
    const [pod] = await outside.list<{ status: { podIP: string } }>('pods', 'app=echo');
    const address = pod?.status.podIP ?? '';
    expect((await inside.echo(`http://${address}:${HTTP_PORT}/`)).protocol).toBe('1.1');
    expect((await inside.tcp(`${address}:${GREETING_PORT}`)).body).toMatch(/^220 echo-/);
    const api = await mesh.run('exec', 'deployment/caller', '-c', 'app', '--', 'node', '-e', API_CALL);
    expect(api.trim()).toMatch(/^(200|401|403)$/);
  });

  clusterTest('a Service without endpoints answers 503 and disturbs no other', [mesh], async () => {
    await mesh.apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'nobody' },
      spec: { selector: { app: 'nobody' }, ports: [{ name: 'http', port: 80 }] },
    });
    await waitUntil('503 from nobody', async () => {
      const { status, error } = await inside.http('http://nobody/');
      return status === 503 ? undefined : `${status ?? error}`;
    });
    expect((await inside.http('http://echo/')).status).toBe(200);
  });

  clusterTest('a new endpoint gets requests, and a pod that ends loses none', [mesh], async () => {
    const [{ failures, pods }] = await inside.loadDuring('http://echo/', { rate: 50 }, async () => {
      await mesh.run('scale', 'deployment/echo', '--replicas=5');
      await mesh.rolledOut('echo');
      await waitUntil('requests at all five', async () => {
        const seen = await inside.many('http://echo/', { count: 50 });
        return Object.keys(seen.pods).length === 5 ? undefined : JSON.stringify(seen.pods);
      });
      await mesh.run('scale', 'deployment/echo', '--replicas=2');
      await waitUntil('the end of three', async () => {
        const left = await mesh.list('pods', 'app=echo');
        return left.length === 2 ? undefined : `${left.length} pods`;
      });
    });
    expect(failures).toEqual({});
    expect(Object.keys(pods)).toHaveLength(5);
  });
});

const API_CALL =
  "require('https').get('https://kubernetes.default/healthz', { rejectUnauthorized: false }, (r) => { console.log(r.statusCode); process.exit(0); })";
