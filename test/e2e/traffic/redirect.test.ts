import { describe, expect } from '@jest/globals';
import { clusterSetup, clusterTest, type TestNamespace, useNamespace } from '../support/namespace.ts';
import { podIdentity } from '../support/pod-identity.ts';
import { Client, type Echo } from '../support/testbed-client.ts';
import { client, HTTP_PORT, HTTP2_PORT, server, type TestbedOptions } from '../support/testbed-objects.ts';

const mesh = useNamespace('redirect');
const outside = useNamespace('plain', {});
const both = [mesh, outside];
const outsider = new Client(outside, 'deployment/caller');

const traffic = (name: string, value: string): TestbedOptions => ({
  annotations: { [`traffic.sidecar.istio.io/${name}`]: value },
});

const strict = (app: string): object => ({
  apiVersion: 'security.istio.io/v1',
  kind: 'PeerAuthentication',
  metadata: { name: app },
  spec: { selector: { matchLabels: { app } }, mtls: { mode: 'STRICT' } },
});

const inMesh = (name: string): Client => new Client(mesh, `deployment/${name}`);

/** Envoy names every request; what has no name has met none. */
const metEnvoy = ({ headers }: Echo): boolean => headers['x-request-id'] !== undefined;
const identity = ({ headers }: Echo): string => headers['x-forwarded-client-cert'] ?? 'none';

async function clusterIp(space: TestNamespace, name: string): Promise<string> {
  const service = await space.get<{ spec: { clusterIP: string } }>('service', name);
  return service?.spec.clusterIP ?? '';
}

clusterSetup(
  both,
  async () => {
    await Promise.all([
      mesh.apply(
        ...server('echo'),
        ...server('other'),
        ...server('holed', traffic('excludeInboundPorts', String(HTTP_PORT))),
        ...server('listed', traffic('includeInboundPorts', String(HTTP2_PORT))),
        ...['holed', 'listed', 'other'].map(strict),
        ...client('caller'),
        ...client('port-free', traffic('excludeOutboundPorts', '80')),
      ),
      outside.apply(...client('caller')),
    ]);
    const address = `${await clusterIp(mesh, 'echo')}/32`;
    await mesh.apply(
      ...client('range-bound', traffic('includeOutboundIPRanges', address)),
      ...client('range-free', traffic('excludeOutboundIPRanges', address)),
    );
    const names = ['echo', 'other', 'holed', 'listed', 'caller', 'port-free', 'range-bound', 'range-free'];
    await Promise.all([...names.map((name) => mesh.rolledOut(name)), outside.rolledOut('caller')]);
    const inForce = ['--for=condition=Programmed', '--timeout=60s', '--all'];
    await mesh.run('wait', 'peerauthentication', ...inForce);
  },
  240_000,
);

describe('inbound', () => {
  clusterTest('STRICT holds on every port, where nothing is excluded', both, async () => {
    const { ip } = await podIdentity(mesh, 'other');
    expect((await outsider.http(`http://${ip}:${HTTP_PORT}/`)).error).toBeDefined();
    expect((await outsider.http2(`http://${ip}:${HTTP2_PORT}/`)).error).toBeDefined();
  });

  clusterTest(
    'excludeInboundPorts opens its port to plain text, past Envoy and STRICT, and no other',
    both,
    async () => {
      const { ip } = await podIdentity(mesh, 'holed');
      const seen = await outsider.echo(`http://${ip}:${HTTP_PORT}/`);
      expect(metEnvoy(seen)).toBe(false);
      expect(seen.remoteAddress).toContain((await podIdentity(outside, 'caller')).ip);
      expect((await outsider.http2(`http://${ip}:${HTTP2_PORT}/`)).error).toBeDefined();
    },
  );

  clusterTest('includeInboundPorts leaves all other ports to plain text', both, async () => {
    const { ip } = await podIdentity(mesh, 'listed');
    expect(metEnvoy(await outsider.echo(`http://${ip}:${HTTP_PORT}/`))).toBe(false);
    expect((await outsider.http2(`http://${ip}:${HTTP2_PORT}/`)).error).toBeDefined();
  });

  clusterTest('callers of the mesh reach ports that Envoy does not serve', both, async () => {
    expect(identity(await inMesh('caller').echo('http://holed/'))).toBe('none');
    expect(identity(await inMesh('caller').echo('http://listed/'))).toBe('none');
    expect((await inMesh('caller').grpc('http://holed:81')).body).toContain('sa/caller');
    expect((await inMesh('caller').grpc('http://listed:81')).body).toContain('sa/caller');
    // Envoy chooses the pod itself then.
    for (const name of ['holed', 'listed']) {
      expect(identity(await inMesh(name).echo(`http://${name}/`))).toBe('none');
      expect((await inMesh(name).grpc(`http://${name}:81`)).body).toContain(`sa/${name}`);
    }
  });
});

describe('outbound', () => {
  clusterTest('by default everything goes through Envoy, with an identity', both, async () => {
    const seen = await inMesh('caller').echo('http://echo/');
    expect(identity(seen)).toContain(`URI=spiffe://cluster.local/ns/${mesh.name}/sa/caller`);
  });

  clusterTest('excludeOutboundPorts: its port leaves in plain text, the others do not', both, async () => {
    const caller = inMesh('port-free');
    expect(identity(await caller.echo('http://echo/'))).toBe('none');
    expect((await caller.http('http://other/')).error).toBeDefined();
    expect((await caller.grpc('http://echo:81')).body).toContain('sa/port-free');
    expect((await caller.grpc('http://other:81')).body).toContain('sa/port-free');
  });

  clusterTest('includeOutboundIPRanges: only its addresses go through Envoy', both, async () => {
    const caller = inMesh('range-bound');
    expect(identity(await caller.echo('http://echo/'))).toContain('sa/range-bound');
    expect((await caller.http('http://other/')).error).toBeDefined();
    const { ip } = await podIdentity(mesh, 'echo');
    expect(identity(await caller.echo(`http://${ip}:${HTTP_PORT}/`))).toBe('none');
  });

  clusterTest('excludeOutboundIPRanges: its addresses do not', both, async () => {
    const caller = inMesh('range-free');
    expect(identity(await caller.echo('http://echo/'))).toBe('none');
    expect(identity(await caller.echo('http://other/'))).toContain('sa/range-free');
  });
});

describe('what no rule may touch', () => {
  clusterTest('a pod that calls its own address, also under STRICT', both, async () => {
    for (const name of ['echo', 'other']) {
      const { ip } = await podIdentity(mesh, name);
      const seen = await inMesh(name).echo(`http://${ip}:${HTTP_PORT}/`);
      expect(seen.pod).toContain(name);
      expect((await inMesh(name).http2(`http://${ip}:${HTTP2_PORT}/`)).status).toBe(200);
    }
  });

  clusterTest('loopback, on every port, whatever Envoy has there', both, async () => {
    for (const host of ['127.0.0.1', 'localhost', '127.0.0.2']) {
      const seen = await inMesh('other').echo(`http://${host}:${HTTP_PORT}/`);
      expect(metEnvoy(seen)).toBe(false);
      expect(seen.remoteAddress).toMatch(/127\.0\.0\.|::1$/);
    }
    // Refused by the kernel at once, as if there were no Envoy.
    expect((await inMesh('other').http('http://127.0.0.1:7777/')).error).toBe('ECONNREFUSED');
  });

  clusterTest('DNS over UDP', both, async () => {
    const name = `other.${mesh.name}.svc.cluster.local`;
    const script = `new (require('dns').Resolver)().resolve4('${name}', (e, a) => console.log(e ? e.code : a.join()))`;
    expect((await evaluate('caller', script)).trim()).toBe(await clusterIp(mesh, 'other'));
  });

  clusterTest('UDP between pods: it arrives, from the address of its sender', both, async () => {
    const { ip: from } = await podIdentity(mesh, 'caller');
    const { ip: to } = await podIdentity(mesh, 'other');
    const receiver = evaluate(
      'other',
      `const s = require('dgram').createSocket('udp4'); setTimeout(() => process.exit(1), 20000);
       s.on('message', (m, { address, port }) => s.send(address, port, address, () => setTimeout(() => process.exit(0), 1000)));
       s.bind(5300);`,
    );
    const answer = evaluate(
      'caller',
      `const s = require('dgram').createSocket('udp4'); setTimeout(() => process.exit(1), 20000);
       s.on('message', (m, { address }) => { console.log(address + ' saw ' + m); process.exit(0); });
       setInterval(() => s.send('ping', 5300, '${to}'), 200);`,
    );
    expect((await answer).trim()).toBe(`${to} saw ${from}`);
    await receiver;
  });
});

/** Runs a script in the application's container of a Deployment and gives what it prints. */
function evaluate(deployment: string, script: string): Promise<string> {
  return mesh.run('exec', `deployment/${deployment}`, '-c', 'app', '--', 'node', '-e', script);
}
