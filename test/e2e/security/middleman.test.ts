import { randomBytes } from 'node:crypto';
import { describe, expect } from '@jest/globals';
import { waitFor } from '../../../hack/mesh/wait.ts';
import { SYSTEM_NAMESPACE } from '../../../proxy/names.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { type PodIdentity, podIdentity } from '../support/pod-identity.ts';
import { ProxyAdmin } from '../support/proxy-admin.ts';
import { Client } from '../support/testbed-client.ts';
import { CONTROL_OUTSIDE_MESH, client, HTTP_PORT, server } from '../support/testbed-objects.ts';
import { testbedPods } from '../support/testbed-pods.ts';
import { issueCertificate } from '../testbed/certificate.ts';
import type { Meeting, MiddlemanPlan } from '../testbed/middleman.ts';

const [RELAY_PORT, ATTACK_PORT] = [7001, 7002];

const mesh = useNamespace('middleman');
const inside = new Client(mesh, 'deployment/caller');
const admin = new ProxyAdmin(mesh, 'deployment/echo');
const secret = randomBytes(16).toString('hex');

let echo: PodIdentity;
let mallory: PodIdentity;

clusterSetup(
  [mesh],
  async () => {
    const image = await operatorImage();
    await mesh.apply(
      ...server('echo', { annotations: CONTROL_OUTSIDE_MESH }),
      ...client('caller', { annotations: CONTROL_OUTSIDE_MESH, podSpec: { initContainers: [thief(image)] } }),
      strict,
    );
    await Promise.all(['echo', 'caller'].map((name) => mesh.rolledOut(name)));
    echo = await podIdentity(mesh, 'echo');
    const command = ['node', '/app/main.ts', 'middleman', JSON.stringify(middlemanPlan(echo.ip))];
    const labels = { 'sidecar.istio.io/inject': 'false' };
    await mesh.apply(...client('mallory', { labels, container: { command } }));
    await mesh.rolledOut('mallory');
    mallory = await podIdentity(mesh, 'mallory');
  },
  240_000,
);

const strict = {
  apiVersion: 'security.istio.io/v1',
  kind: 'PeerAuthentication',
  metadata: { name: 'default' },
  spec: { mtls: { mode: 'STRICT' } },
};

async function operatorImage(): Promise<string> {
  const args = ['-n', SYSTEM_NAMESPACE, 'get', 'deployment', 'heddle-operator', '-o'];
  return mesh.kubectl.run([...args, 'jsonpath={.spec.template.spec.containers[0].image}']);
}

/** Who has got hold of the way that the pod's packets take. */
function thief(image: string): object {
  return {
    name: 'thief',
    image,
    imagePullPolicy: 'IfNotPresent',
    restartPolicy: 'Always',
    command: ['node', '-e', 'process.once("SIGTERM", () => process.exit()); setInterval(() => {}, 1e6)'],
    securityContext: { runAsNonRoot: false, runAsUser: 0, capabilities: { add: ['NET_ADMIN'] } },
  };
}

/** Leads connections of the caller's pod to the server's address to the man in the middle. */
async function divert(port: number): Promise<void> {
  const rule = `ip daddr ${echo.ip} tcp dport ${HTTP_PORT} dnat to ${mallory.ip}:${port}`;
  const rules = [
    'add table ip thief',
    'delete table ip thief',
    'add table ip thief',
    'add chain ip thief output { type nat hook output priority -150; }',
    `add rule ip thief output ${rule}`,
  ];
  await mesh.run('exec', 'deployment/caller', '-c', 'thief', '--', '/usr/sbin/nft', rules.join('; '));
}

/** His certificates have the right names, by an authority of his own. */
function middlemanPlan(host: string): MiddlemanPlan {
  const authority = issueCertificate({ commonName: 'of his own', authority: true });
  const issuer = { commonName: 'of his own', key: authority.key };
  const issue = (account: string) => {
    const names = [`spiffe://cluster.local/ns/${mesh.name}/sa/${account}`];
    const { cert, key } = issueCertificate({ commonName: account, names, issuer });
    return { cert: cert + authority.cert, key };
  };
  return {
    relayPort: RELAY_PORT,
    attackPort: ATTACK_PORT,
    target: { host, port: HTTP_PORT },
    asServer: issue('echo'),
    asCaller: issue('caller'),
    alpn: ['istio'],
    request: `GET /?key=stolen HTTP/1.1\r\nhost: echo\r\n\r\n`,
  };
}

const request = { method: 'POST', headers: { 'x-secret': secret }, body: secret };

async function meetings(kind: Meeting['kind']): Promise<Meeting[]> {
  const lines = (await mesh.run('logs', 'deployment/mallory')).split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Meeting).filter((meeting) => meeting.kind === kind);
}

describe('a man in the middle with a CA of his own', () => {
  clusterTest('is refused by both sides, and gets nothing from either', [mesh], async () => {
    const refused = async () => admin.total('listener\\..*\\.ssl\\.fail_verify_error');
    const before = await refused();
    await divert(ATTACK_PORT);
    const { status, body = '' } = await inside.http(`http://echo/?key=wanted`, request);
    expect([status, body]).toEqual([503, expect.stringContaining('connection failure')]);
    const met = await waitFor('the man in the middle to have given up', async () => {
      const attacks = await meetings('attack');
      return attacks.length > 0 ? attacks : undefined;
    });
    for (const { caller, target } of met) {
      expect([caller.heard, target.heard]).toEqual(['', '']);
      expect([caller.error, target.error]).toEqual([
        expect.stringContaining('unknown ca'),
        expect.stringContaining('unknown ca'),
      ]);
    }
    expect(await refused()).toBeGreaterThan(before);
    const counted = await new ProxyAdmin(mesh, 'deployment/caller').get(
      '/stats/prometheus?filter=istio_requests_total',
    );
    expect(counted).toMatch(/response_code="503",[^}]*response_flags="[A-Z,]*UF"/);
    const pods = await testbedPods(mesh, 'app=echo');
    for (const key of ['wanted', 'stolen'])
      expect((await inside.seen(pods, key)).map(({ count }) => count)).toEqual([0]);
  });

  clusterTest('is in the way: what he passes on as it is arrives, and he can read nothing of it', [mesh], async () => {
    await divert(RELAY_PORT);
    expect((await inside.http(`http://echo/?key=relayed`, request)).status).toBe(200);
    const pods = await testbedPods(mesh, 'app=echo');
    expect((await inside.seen(pods, 'relayed')).map(({ count }) => count)).toEqual([1]);
    // What he relayed he tells of when the connection ends.
    await mesh.run('delete', 'pod', echo.name, '--wait=false');
    const met = await waitFor('the relayed connection to end', async () => {
      const relayed = await meetings('relay');
      return relayed.some(({ caller }) => caller.heard.length > 0) ? relayed : undefined;
    });
    const all = met.map(({ caller, target }) => caller.heard + target.heard).join('');
    expect(all.length).toBeGreaterThan(1000);
    expect(all).not.toContain(secret);
  });
});
