import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { envoyBinary } from '../hack/envoy/binary.ts';
import { freePort } from '../test/feature/support/free-port.ts';
import { BOOTSTRAP_VARIABLES, buildBootstrap, formatBootstrap, MAX_BOOTSTRAP_BYTES } from './bootstrap.ts';
import { expandArgument, toArgument } from './expansion.ts';
import { ADMIN_PORT, HEALTH_PORT, METRICS_PORT, PROBE_PORT } from './ports.ts';
import { type ProbeRecord, rewriteProbes } from './probes.ts';
import { SHOP } from './testing/own-workload.ts';

const ENVIRONMENT = {
  ...Object.fromEntries(Object.keys(BOOTSTRAP_VARIABLES).map((name) => [name, 'x'])),
  INSTANCE_IP: '127.0.0.1',
};
const TRUST = JSON.stringify({
  resources: [
    {
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret',
      name: 'heddle-xds-trust',
      validation_context: {},
    },
  ],
});

let folder: string;
let envoy: string;

beforeAll(async () => {
  envoy = await envoyBinary();
  folder = await mkdtemp(join(tmpdir(), 'heddle-bootstrap-'));
  await writeFile(join(folder, 'trust.yaml'), TRUST);
  await writeFile(join(folder, 'token'), 'token');
  await writeFile(join(folder, 'empty.json'), '{"resources":[]}');
}, 120_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

/** What kubelet would make of the argument, with the mounts in our folder. */
function expand(argument: string): string {
  const text = expandArgument(argument, ENVIRONMENT);
  return text.replaceAll('/etc/heddle/trust', folder).replaceAll('/var/run/secrets/heddle', folder);
}

const PROBES: ProbeRecord = {
  '/app-health/app/livez': { type: 'http', port: 8080, path: '/live?$(POD_NAME)' },
  '/app-health/app/readyz': { type: 'tcp', port: 9000 },
  '/app-health/app/startupz': { type: 'grpc', port: 9001, listenerPort: 15031 },
  '/app-health/app/prestop': { type: 'https', port: 8443, path: '/' },
};

describe('the bootstrap', () => {
  test.each([
    ['without probes', {}, false],
    ['with probes of every type', PROBES, false],
    ['for IPv6', PROBES, true],
  ])(
    'passes the real Envoy %s',
    async (_, probes, ipv6) => {
      const argument = formatBootstrap({ own: SHOP, clusterDomain: 'cluster.local', probes, ipv6 });
      // Lists of images, ports and probes of one's own need room as well, and each pod of the mesh carries it.
      expect(argument.length).toBeLessThan(MAX_BOOTSTRAP_BYTES / 3);
      const run = promisify(execFile)(envoy, [
        '--mode',
        'validate',
        '--log-level',
        'warning',
        '--config-yaml',
        expand(argument),
      ]);
      const { stdout, stderr } = await run;
      expect(stdout).toContain('OK');
      expect(stderr).not.toMatch(/deprecated/i);
    },
    30_000,
  );

  test('names node and cluster as the control plane expects', () => {
    const { node } = buildBootstrap({ own: SHOP, clusterDomain: 'example.test', probes: {}, ipv6: false });
    expect(expandArgument(toArgument(node), { POD_NAME: 'p', POD_NAMESPACE: 'n', INSTANCE_IP: '10.0.0.1' })).toBe(
      '{"id":"sidecar~10.0.0.1~p.n~n.svc.example.test","cluster":"shop","metadata":{"POD_UID":"$(POD_UID)","SERVICE_ACCOUNT":"$(SERVICE_ACCOUNT)","NODE_NAME":"$(NODE_NAME)"}}',
    );
  });
});

describe('a real Envoy with the bootstrap', () => {
  const requests: string[] = [];
  let app: Server;
  let tcp: TcpServer;
  let tcpPort: number;
  let child: ChildProcess;
  let ports: Record<number, number>;

  beforeAll(async () => {
    app = createHttpServer((request, response) => {
      requests.push(`${request.method} ${request.url} ${request.headers.host}`);
      response.writeHead(request.url === '/moved' ? 302 : 200, { location: '/login' }).end('ok');
    });
    tcp = createTcpServer((socket) => socket.destroy());
    const appPort = await listen(app);
    tcpPort = await listen(tcp);
    const { probes } = rewriteProbes(
      [
        {
          name: 'app',
          livenessProbe: { httpGet: { port: appPort, path: '/live?a=$(POD_NAME)' } },
          readinessProbe: { tcpSocket: { port: tcpPort }, periodSeconds: 3 },
          lifecycle: { postStart: { httpGet: { port: appPort, path: '/moved' } } },
        },
      ],
      {},
    );
    ports = {};
    for (const port of [ADMIN_PORT, HEALTH_PORT, METRICS_PORT, PROBE_PORT]) ports[port] = await freePort();
    child = startEnvoy(probes, ports);
    await until(async () => (await get(HEALTH_PORT, '/healthz/ready')).status === 200);
  }, 60_000);

  afterAll(async () => {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
    app.close();
    tcp.close();
  });

  const get = async (port: number, path: string, init: RequestInit = {}) => {
    const response = await fetch(`http://127.0.0.1:${ports[port]}${path}`, { redirect: 'manual', ...init });
    return { status: response.status, body: await response.text(), location: response.headers.get('location') };
  };

  function startEnvoy(probes: ProbeRecord, chosen: Record<number, number>): ChildProcess {
    const file = { path_config_source: { path: join(folder, 'empty.json') } };
    const config = {
      ...buildBootstrap({ own: SHOP, clusterDomain: 'cluster.local', probes, ipv6: false }),
      dynamic_resources: { lds_config: file, cds_config: file },
    };
    let text = expand(toArgument(config));
    for (const [port, free] of Object.entries(chosen))
      text = text.replaceAll(`"port_value":${port}`, `"port_value":${free}`);
    return spawn(
      envoy,
      ['--config-yaml', text, '--concurrency', '1', '--disable-hot-restart', '--log-level', 'error'],
      { stdio: 'ignore' },
    );
  }

  test('is ready once it has clusters and listeners, on that path alone', async () => {
    expect(await get(HEALTH_PORT, '/healthz/ready')).toMatchObject({ status: 200, body: 'ready\n' });
    expect(await get(HEALTH_PORT, '/')).toMatchObject({ status: 404 });
  });

  test('answers an HTTP probe with what the application says at its own path', async () => {
    expect(await get(PROBE_PORT, '/app-health/app/livez', { headers: { 'x-a': 'b' } })).toMatchObject({
      status: 200,
      body: 'ok',
    });
    expect(requests).toContain(`GET /live?a=$(POD_NAME) 127.0.0.1:${ports[PROBE_PORT]}`);
  });

  test('passes a redirect on as a success that leads nowhere', async () => {
    expect(await get(PROBE_PORT, '/app-health/app/poststart')).toMatchObject({ status: 302, location: null });
  });

  test.each(['/', '/live', '/app-health/app/readyz/x', '/app-health/other/livez'])(
    'gives nothing at %s',
    async (path) => {
      expect(await get(PROBE_PORT, path)).toMatchObject({ status: 404 });
    },
  );

  test('takes no method but GET to the application', async () => {
    expect(await get(PROBE_PORT, '/app-health/app/livez', { method: 'POST', body: 'x' })).toMatchObject({
      status: 404,
    });
  });

  test('follows a TCP port going away and coming back within seconds', async () => {
    await until(async () => (await get(PROBE_PORT, '/app-health/app/readyz')).status === 200);
    await new Promise((resolve) => tcp.close(resolve));
    await until(async () => (await get(PROBE_PORT, '/app-health/app/readyz')).status === 503);
    tcp = createTcpServer((socket) => socket.destroy());
    await listen(tcp, tcpPort);
    await until(async () => (await get(PROBE_PORT, '/app-health/app/readyz')).status === 200);
  }, 30_000);

  test('takes expressions as large as admission does, joins headers of one name, and takes settings by its admin interface', async () => {
    const runtime = JSON.parse((await get(ADMIN_PORT, '/runtime')).body) as Record<string, unknown>;
    expect(runtime).toEqual({
      layers: ['heddle', 'admin'],
      entries: {
        'envoy.reloadable_features.enable_formatter_for_ratelimit_action_descriptor_value': {
          final_value: 'true',
          layer_values: ['true', ''],
        },
        'envoy.reloadable_features.rbac_match_headers_individually': {
          final_value: 'false',
          layer_values: ['false', ''],
        },
        're2.max_program_size.error_level': { final_value: '32768', layer_values: ['32768', ''] },
      },
    });
    const changed = await get(ADMIN_PORT, '/runtime_modify?any.key=1', { method: 'POST' });
    expect(changed).toMatchObject({ status: 200, body: 'OK\n' });
  });

  test('shows its metrics and nothing else of the admin interface', async () => {
    const metrics = await get(METRICS_PORT, '/stats/prometheus');
    expect(metrics.status).toBe(200);
    expect(metrics.body).toContain('envoy_server_uptime');
    expect(await get(METRICS_PORT, '/quitquitquit', { method: 'POST' })).toMatchObject({ status: 404 });
    expect(await get(METRICS_PORT, '/config_dump')).toMatchObject({ status: 404 });
  });
});

async function listen(server: Server | TcpServer, port = 0): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000;
  while (Date.now() < end) {
    if (await condition().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it did not come true within 20 s');
}
