import { X509Certificate } from 'node:crypto';
import { describe, expect } from '@jest/globals';
import { waitUntil } from '../../hack/mesh/wait.ts';
import { clusterSetup, clusterTest, useNamespace } from './support/namespace.ts';
import { restartOperator, withLifetimes } from './support/operator-settings.ts';
import { ProxyAdmin } from './support/proxy-admin.ts';
import { Client } from './support/testbed-client.ts';
import { client, server } from './support/testbed-objects.ts';

const mesh = useNamespace('lasting');
const outside = useNamespace('plain', {});
const inside = new Client(mesh, 'deployment/caller');
const outsider = new Client(outside, 'deployment/caller');

clusterSetup([mesh, outside], async () => {
  await Promise.all([
    mesh.apply(...server('echo', { replicas: 2 }), ...client('caller')),
    outside.apply(...client('caller')),
  ]);
  await Promise.all([mesh.rolledOut('echo'), mesh.rolledOut('caller'), outside.rolledOut('caller')]);
});

interface Certs {
  readonly certificates: readonly { readonly cert_chain?: readonly { readonly serial_number: string }[] }[];
}

/** Serial number of the certificate that the caller's Envoy presents. */
async function serial(): Promise<string> {
  const text = await new ProxyAdmin(mesh, 'deployment/caller').get('/certs');
  const { certificates } = JSON.parse(text) as Certs;
  const [first] = certificates.flatMap(({ cert_chain = [] }) => cert_chain);
  if (first === undefined) throw new Error('Envoy has no certificate');
  return first.serial_number;
}

describe('nothing is lost', () => {
  clusterTest('over a restart of the operator, inside the mesh and from outside', [mesh, outside], async () => {
    const loads = Promise.all([
      inside.load('http://echo/', { rate: 150, seconds: 30 }),
      outsider.load(`http://echo.${mesh.name}/`, { rate: 50, seconds: 30 }),
    ]);
    await restartOperator(mesh.kubectl);
    const [fromMesh, fromOutside] = await loads;
    expect(fromMesh.failures).toEqual({});
    expect(fromOutside.failures).toEqual({});
    // The streams came back: a change made now arrives.
    await mesh.run('scale', 'deployment/echo', '--replicas=3');
    await mesh.rolledOut('echo');
    await waitUntil('requests at the third pod', async () => {
      const { pods } = await inside.load('http://echo/', { rate: 30, seconds: 1 });
      return Object.keys(pods).length === 3 ? undefined : `${Object.keys(pods).length} pods`;
    });
  });

  clusterTest(
    'over the renewal of certificates that live for seconds',
    [mesh],
    async () => {
      const restore = await withLifetimes(mesh.kubectl, {
        workloadLifetime: '20s',
        intermediateLifetime: '60s',
        webhookLifetime: '60s',
        backdate: '10s',
      });
      try {
        await waitUntil('a certificate of the new kind', async () => {
          const before = await serial();
          await new Promise((resolve) => setTimeout(resolve, 12_000));
          return (await serial()) === before ? 'still the same' : undefined;
        });
        const seen = new Set([await serial()]);
        const load = inside.load('http://echo/', { rate: 200, seconds: 60, keepAlive: false });
        for (let i = 0; i < 10; i++) {
          await new Promise((resolve) => setTimeout(resolve, 5000));
          seen.add(await serial());
        }
        const report = await load;
        expect(report.failures).toEqual({});
        expect(report.sent).toBe(12_000);
        expect(seen.size).toBeGreaterThanOrEqual(4);
        await webhookFollows();
      } finally {
        await restore();
      }
    },
    300_000,
  );
});

/** A webhook certificate that is deleted is made anew, now for a minute, and then renewed; pods are injected all the while. */
async function webhookFollows(): Promise<void> {
  const secret = ['-n', 'heddle-system', 'secret', 'heddle-webhook-tls'];
  const read = async (): Promise<string> => {
    const { data } = await mesh.kubectl.json<{ data: { 'tls.crt': string } }>(['get', ...secret]);
    return new X509Certificate(Buffer.from(data['tls.crt'], 'base64')).serialNumber;
  };
  const another = (than: string): Promise<void> =>
    waitUntil('another webhook certificate', async () => ((await read()) === than ? 'still the same' : undefined), {
      timeoutMs: 90_000,
    });
  const first = await read();
  await mesh.kubectl.run(['delete', ...secret]);
  await another(first);
  await injects();
  const second = await read();
  await another(second);
  await injects();
}

async function injects(): Promise<void> {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'probe' },
    spec: { containers: [{ name: 'a', image: 'a' }] },
  };
  const made = await mesh.kubectl.run(['create', '-n', mesh.name, '--dry-run=server', '-o', 'json', '-f', '-'], {
    input: JSON.stringify(pod),
  });
  expect(made).toContain('istio-proxy');
}
