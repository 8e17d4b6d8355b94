import { describe, expect } from '@jest/globals';
import { waitUntil } from '../../../hack/mesh/wait.ts';
import { conditionMessage } from '../support/conditions.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { podIdentity } from '../support/pod-identity.ts';
import { Client } from '../support/testbed-client.ts';
import { client, HTTP_PORT, server, TCP_PORT } from '../support/testbed-objects.ts';

const mesh = useNamespace('mtls');
const outside = useNamespace('plain', {});
const inside = new Client(mesh, 'deployment/caller');
const outsider = new Client(outside, 'deployment/caller');

interface Policy {
  readonly status?: { readonly conditions?: readonly { type: string }[] };
}

const policy = (name: string, spec: object): object => ({
  apiVersion: 'security.istio.io/v1',
  kind: 'PeerAuthentication',
  metadata: { name },
  spec,
});

const headless = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'other-pods' },
  spec: {
    clusterIP: 'None',
    selector: { app: 'other' },
    ports: [
      { name: 'http', port: HTTP_PORT },
      { name: 'tcp', port: TCP_PORT },
    ],
  },
};

clusterSetup(
  [mesh, outside],
  async () => {
    await Promise.all([
      mesh.apply(...server('echo', { replicas: 2 }), ...server('other'), ...client('caller')),
      outside.apply(...client('caller')),
    ]);
    await Promise.all(['echo', 'other', 'caller'].map((name) => mesh.rolledOut(name)));
    await outside.rolledOut('caller');
  },
  240_000,
);

describe('PeerAuthentication', () => {
  clusterTest('STRICT refuses plain text, and kubelet still probes', [mesh, outside], async () => {
    expect((await outsider.http(`http://echo.${mesh.name}/`)).status).toBe(200);
    await mesh.apply(policy('default', { mtls: { mode: 'STRICT' } }));
    expect(await conditionMessage(mesh, 'peerauthentication', 'default', 'Programmed', 'True')).toBe(
      'in force on 4 of 4 proxies',
    );
    expect(await conditionMessage(mesh, 'peerauthentication', 'default', 'Accepted', 'True')).not.toBe('');
    expect((await outsider.http(`http://echo.${mesh.name}/`)).error).toBeDefined();
    expect((await outsider.http2(`http://echo.${mesh.name}:81/`)).error).toBeDefined();
    expect((await outsider.tcp(`echo.${mesh.name}:90`, 'ping')).error).toBeDefined();
    expect((await inside.http('http://echo/')).status).toBe(200);
    expect((await inside.grpc('http://echo:81')).status).toBe(0);
    expect((await inside.tcp('echo:91')).body).toMatch(/^220/);
    // Probes run every second (readiness) and 10 s (liveness); three liveness failures would restart the container.
    await mesh.run('delete', 'pod', '-l', 'app=echo', '--wait=false');
    await mesh.rolledOut('echo');
    await new Promise((resolve) => setTimeout(resolve, 12_000));
    const pods = await mesh.list<Pod>('pods', 'app=echo');
    const running = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    expect(running.map(({ status }) => status.containerStatuses.map(({ restartCount }) => restartCount))).toEqual([
      [0],
      [0],
    ]);
  });

  clusterTest(
    'STRICT holds for pods of a headless Service, and for pods by their address',
    [mesh, outside],
    async () => {
      const { ip } = await podIdentity(mesh, 'other');
      // Nothing says whose address it is, so its callers speak plain text, as in Istio.
      expect((await inside.http(`http://${ip}:${HTTP_PORT}/`)).status).not.toBe(200);
      expect((await inside.tcp(`${ip}:${TCP_PORT}`, 'ping')).error).toBeDefined();
      await mesh.apply(headless);
      await waitUntil('mTLS to pods of the headless Service', async () => {
        const { status, body = '' } = await inside.http(`http://other-pods:${HTTP_PORT}/`);
        return status === 200 && body.includes('x-forwarded-client-cert') ? undefined : `${status} ${body}`;
      });
      expect((await inside.tcp(`other-pods:${TCP_PORT}`, 'ping')).body).toBe('ping');
      expect((await inside.tcp(`${ip}:${TCP_PORT}`, 'ping')).body).toBe('ping');
      expect((await outsider.http(`http://other-pods.${mesh.name}:${HTTP_PORT}/`)).error).toBeDefined();
      expect((await outsider.tcp(`${ip}:${TCP_PORT}`, 'ping')).error).toBeDefined();
      await mesh.apply(policy('other', { selector: { matchLabels: { app: 'other' } }, mtls: { mode: 'PERMISSIVE' } }));
      await conditionMessage(mesh, 'peerauthentication', 'other', 'Programmed', 'True');
      for (const caller of [inside, outsider])
        expect((await caller.http(`http://${ip}:${HTTP_PORT}/`)).status).toBe(200);
      await mesh.run('delete', 'peerauthentication', 'other');
      await mesh.run('delete', 'service', 'other-pods');
    },
  );

  clusterTest('a workload and a port decide over the namespace', [mesh, outside], async () => {
    await mesh.apply(
      policy('echo', {
        selector: { matchLabels: { app: 'echo' } },
        mtls: { mode: 'STRICT' },
        portLevelMtls: { 8080: { mode: 'PERMISSIVE' } },
      }),
    );
    await conditionMessage(mesh, 'peerauthentication', 'echo', 'Programmed', 'True');
    expect((await outsider.http(`http://echo.${mesh.name}/`)).status).toBe(200);
    expect((await outsider.tcp(`echo.${mesh.name}:90`, 'ping')).error).toBeDefined();
    expect((await outsider.http(`http://other.${mesh.name}/`)).error).toBeDefined();
    await mesh.run('delete', 'peerauthentication', 'echo');
  });

  clusterTest('DISABLE means plain text, also between injected pods', [mesh, outside], async () => {
    await mesh.apply(policy('other', { selector: { matchLabels: { app: 'other' } }, mtls: { mode: 'DISABLE' } }));
    await conditionMessage(mesh, 'peerauthentication', 'other', 'Programmed', 'True');
    expect((await outsider.http(`http://other.${mesh.name}/`)).status).toBe(200);
    await waitUntil('plain text from inside', async () => {
      const { status, body = '' } = await inside.http('http://other/');
      if (status !== 200) return `${status}`;
      return body.includes('x-forwarded-client-cert') ? 'mTLS' : undefined;
    });
    await mesh.run('delete', 'peerauthentication', 'other');
  });

  clusterTest('the younger of two is told which one wins', [mesh], async () => {
    await mesh.apply(policy('zz-late', { mtls: { mode: 'PERMISSIVE' } }));
    expect(await conditionMessage(mesh, 'peerauthentication', 'zz-late', 'Conflicted', 'True')).toContain('default');
    expect((await outsider.http(`http://echo.${mesh.name}/`)).error).toBeDefined();
    await mesh.run('delete', 'peerauthentication', 'zz-late');
  });

  clusterTest('a selector that matches nothing says so', [mesh], async () => {
    await mesh.apply(policy('nothing', { selector: { matchLabels: { app: 'nobody' } }, mtls: { mode: 'STRICT' } }));
    const wanted = ['Programmed', 'Accepted'];
    await mesh.waitFor<Policy>('peerauthentication', 'nothing', ({ status }) => {
      const text = JSON.stringify(status?.conditions?.filter(({ type }) => wanted.includes(type)) ?? []);
      return /match|select/.test(text) ? undefined : text;
    });
    await mesh.run('delete', 'peerauthentication', 'nothing');
  });

  clusterTest('a field that cannot be right is refused and named', [mesh], async () => {
    const bad = JSON.stringify(policy('bad', { mtls: { mode: 'SOMETIMES' } }));
    const { code, stderr } = await mesh.kubectl.try(['apply', '-n', mesh.name, '-f', '-'], { input: bad });
    expect(code).not.toBe(0);
    expect(stderr).toContain('mtls.mode');
  });
});

interface Pod {
  readonly metadata: { readonly deletionTimestamp?: string };
  readonly status: { readonly containerStatuses: readonly { restartCount: number }[] };
}
