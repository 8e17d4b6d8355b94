import { X509Certificate } from 'node:crypto';
import { afterAll, describe, expect } from '@jest/globals';
import { waitFor, waitUntil } from '../../hack/mesh/wait.ts';
import { lookAfter, withQuickKubelet } from './support/kubelet.ts';
import { clusterSetup, clusterTest, useNamespace } from './support/namespace.ts';
import { scaleOperator } from './support/operator-replicas.ts';
import { restartOperator, withLifetimes } from './support/operator-settings.ts';
import { probeFailed } from './support/pod-events.ts';
import { ProxyAdmin } from './support/proxy-admin.ts';
import { Client } from './support/testbed-client.ts';
import { client, pod, server } from './support/testbed-objects.ts';

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
  // Who has no sidecar goes by kube-proxy, which may be behind, and has the rules of whoever had the address before until then.
  await waitUntil('the Service is there for callers outside of the mesh', async () => {
    const { status } = await outsider.http(`http://echo.${mesh.name}/`);
    return status === 200 ? undefined : `it answers ${status}`;
  });
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

/** Requests from inside the mesh and from outside of it, for as long as the work takes; none may fail. @returns what the work gave */
async function losesNothing<T>(rates: Rates, work: () => Promise<T>): Promise<T> {
  const { inMesh, outOfMesh, keepAlive = true } = rates;
  const [fromOutside, [fromMesh, given]] = await outsider.loadDuring(
    `http://echo.${mesh.name}/`,
    { rate: outOfMesh },
    () => inside.loadDuring('http://echo/', { rate: inMesh, keepAlive }, work),
  );
  expect(fromMesh.failures).toEqual({});
  expect(fromOutside.failures).toEqual({});
  return given;
}

interface Rates {
  readonly inMesh: number;
  readonly outOfMesh: number;
  readonly keepAlive?: boolean;
}

describe('nothing is lost', () => {
  clusterTest('over a restart of the operator, inside the mesh and from outside', [mesh, outside], async () => {
    const certificate = await serial();
    await losesNothing({ inMesh: 150, outOfMesh: 50 }, async () => {
      await restartOperator(mesh.kubectl);
      // The streams came back: a change made now arrives.
      await scaledTo(3);
    });
    // A new process gives out no new certificate in place of one that is fresh.
    expect(await serial()).toBe(certificate);
  });

  describe('with certificates that live for seconds', () => {
    let restore = async (): Promise<void> => undefined;

    clusterSetup(
      [mesh, outside],
      async () => {
        const putBack = await withLifetimes(mesh.kubectl, {
          workloadLifetime: '20s',
          intermediateLifetime: '60s',
          webhookLifetime: '30s',
          backdate: '10s',
          trustPropagation: '5s',
        });
        let done: Promise<void> | undefined;
        restore = () => {
          done ??= putBack();
          return done;
        };
        await anotherCertificate();
      },
      240_000,
    );

    afterAll(() => restore(), 150_000);

    clusterTest(
      'over their renewal',
      [mesh, outside],
      async () => {
        await losesNothing({ inMesh: 150, outOfMesh: 50, keepAlive: false }, async () => {
          const renewals = async (): Promise<void> => {
            for (let renewal = 0; renewal < 3; renewal++) await anotherCertificate();
          };
          await Promise.all([renewals(), webhookFollows()]);
        });
      },
      300_000,
    );

    clusterTest(
      'over a rotation of the root, which every connection follows',
      [mesh, outside],
      async () => {
        const before = await root();
        expect(await xdsTrust()).toContain(before.trim());
        const rotation = { apiVersion: 'heddle.dev/v1alpha1', kind: 'TrustRotation', metadata: { name: mesh.name } };
        const after = await losesNothing({ inMesh: 50, outOfMesh: 50, keepAlive: false }, async () => {
          await mesh.kubectl.run(['create', '-f', '-'], { input: JSON.stringify(rotation) });
          const end = () =>
            waitFor('the end of the rotation', () => rotatedFrom(before), { timeoutMs: 200_000, everyMs: 500 });
          return withQuickKubelet(mesh.kubectl, mesh.name, end);
        });
        await lookAfter(mesh.kubectl, '-n', mesh.name, '--all');
        await waitUntil(
          'the new root alone, projected into the caller',
          async () => ((await xdsTrust()) === after ? undefined : 'still the old bundle'),
          { timeoutMs: 120_000, everyMs: 1000 },
        );
        // Which restarts the operator.
        await restore();
        await scaledTo(4);
      },
      400_000,
    );
  });
});

describe('without an operator', () => {
  clusterTest('a new pod waits for the configuration of its Envoy, and what runs goes on', [mesh], async () => {
    await scaleOperator(mesh.kubectl, 0);
    try {
      await mesh.apply(pod('early'));
      await probeFailed(mesh, 'early');
      const early = await mesh.get<{ status: { phase: string } }>('pod', 'early');
      expect(early?.status.phase).toBe('Pending');
      expect((await inside.http('http://echo/')).status).toBe(200);
    } finally {
      await scaleOperator(mesh.kubectl, 1);
    }
    await mesh.run('wait', 'pod/early', '--for=condition=Ready', '--timeout=90s');
  });
});

/** Scales the server, and waits until the caller knows all its pods. */
async function scaledTo(replicas: number): Promise<void> {
  await mesh.run('scale', 'deployment/echo', `--replicas=${replicas}`);
  await mesh.rolledOut('echo');
  await waitUntil(`requests at ${replicas} pods`, async () => {
    const { pods } = await inside.load('http://echo/', { rate: 30, seconds: 1 });
    return Object.keys(pods).length === replicas ? undefined : `${Object.keys(pods).length} pods`;
  });
}

/** Waits until the caller has another certificate than now. */
async function anotherCertificate(): Promise<void> {
  const before = await serial();
  await waitUntil('another certificate', async () => ((await serial()) === before ? 'still the same' : undefined), {
    timeoutMs: 90_000,
    everyMs: 1000,
  });
}

const CA_SECRET = ['-n', 'heddle-system', 'secret', 'heddle-ca'];

interface RootSecret {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
  readonly data: { readonly 'ca-cert.pem': string };
}

/** The root that signs, PEM. */
async function root(): Promise<string> {
  const { data } = await mesh.kubectl.json<RootSecret>(['get', ...CA_SECRET]);
  return Buffer.from(data['ca-cert.pem'], 'base64').toString('utf8');
}

/** The new root, PEM, once it alone is trusted. */
async function rotatedFrom(before: string): Promise<string | undefined> {
  const { metadata, data } = await mesh.kubectl.json<RootSecret>(['get', ...CA_SECRET]);
  const phase = metadata.annotations['heddle.dev/rotation-phase'];
  const now = Buffer.from(data['ca-cert.pem'], 'base64').toString('utf8');
  if (phase !== 'Stable' || now === before) throw new Error(`phase ${phase}`);
  return now;
}

/** The bundle, PEM, that guards the caller's ADS connection. */
async function xdsTrust(): Promise<string> {
  const query = 'resource=dynamic_active_secrets&name_regex=heddle-xds-trust';
  const dump = await new ProxyAdmin(mesh, 'deployment/caller').get(`/config_dump?${query}`);
  const { configs } = JSON.parse(dump) as XdsTrustDump;
  return configs?.[0]?.secret.validation_context.trusted_ca.inline_string ?? '';
}

interface XdsTrustDump {
  readonly configs?: readonly {
    readonly secret: { readonly validation_context: { readonly trusted_ca: { readonly inline_string?: string } } };
  }[];
}

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
