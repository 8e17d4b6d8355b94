import { randomBytes } from 'node:crypto';
import { describe, expect } from '@jest/globals';
import { waitFor } from '../../../hack/mesh/wait.ts';
import { readConnections, type TcpConnection } from '../../wire/tcp-connections.ts';
import { chosenVersion, isEncrypted, readTlsRecords } from '../../wire/tls-records.ts';
import { conditionMessage } from '../support/conditions.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { PacketCapture } from '../support/packet-capture.ts';
import { type PodIdentity, podIdentity } from '../support/pod-identity.ts';
import { Client } from '../support/testbed-client.ts';
import { client, HTTP_PORT, server, TCP_PORT } from '../support/testbed-objects.ts';

const TLS_1_3 = 0x0304;

const mesh = useNamespace('wire');
const inside = new Client(mesh, 'deployment/caller');

/** Away from the other pods, where there is another node. */
const apart = {
  podSpec: {
    affinity: {
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          {
            weight: 100,
            podAffinityTerm: {
              topologyKey: 'kubernetes.io/hostname',
              labelSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['caller', 'echo', 'open'] }] },
            },
          },
        ],
      },
    },
  },
};

const peerAuthentication = (name: string, spec: object): object => ({
  apiVersion: 'security.istio.io/v1',
  kind: 'PeerAuthentication',
  metadata: { name },
  spec,
});

let [caller, echo, open]: PodIdentity[] = [];

clusterSetup(
  [mesh],
  async () => {
    await mesh.apply(
      ...server('echo', apart),
      ...server('open', apart),
      ...client('caller', apart),
      peerAuthentication('default', { mtls: { mode: 'STRICT' } }),
      peerAuthentication('open', { selector: { matchLabels: { app: 'open' } }, mtls: { mode: 'DISABLE' } }),
    );
    const apps = ['caller', 'echo', 'open'];
    await Promise.all(apps.map((name) => mesh.rolledOut(name)));
    await Promise.all(
      ['default', 'open'].map((name) => conditionMessage(mesh, 'peerauthentication', name, 'Programmed', 'True')),
    );
    [caller, echo, open] = await Promise.all(apps.map((name) => podIdentity(mesh, name)));
  },
  240_000,
);

/** Says something in every part of a request, over HTTP and over TCP, and hears it again. */
async function say(host: string, marker: string): Promise<void> {
  const wish = { method: 'POST', headers: { 'x-secret': `header-${marker}` }, body: `body-${marker}` };
  const { path, headers } = await inside.echo(`http://${host}/path-${marker}`, wish);
  expect([path, headers['x-secret']]).toEqual([`/path-${marker}`, `header-${marker}`]);
  expect((await inside.tcp(`${host}:90`, `tcp-${marker}`)).body).toBe(`tcp-${marker}`);
}

/** Which parts of what was said can be read in some bytes. */
const readable = (bytes: readonly Buffer[], marker: string): string[] =>
  ['path', 'header', 'body', 'tcp'].filter((part) => bytes.some((one) => one.includes(`${part}-${marker}`)));

describe('what goes from one pod to another', () => {
  clusterTest('is TLS 1.3 under STRICT, and nothing of it is to be read', [mesh], async () => {
    const capture = await PacketCapture.start(
      mesh,
      [caller, echo, open].map((pod) => pod?.name ?? ''),
    );
    const [secret, plain] = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')];
    await say('echo', secret);
    // The same again where nothing is encrypted: what is captured is to be read, and came behind what must not be.
    await say('open', plain);
    const between = (all: readonly TcpConnection[], to?: PodIdentity, port?: number): TcpConnection[] =>
      all.filter(({ client, server }) => client.startsWith(`${caller?.ip}:`) && server === `${to?.ip}:${port}`);
    const packets = await waitFor('all that was said to be captured', async () => {
      const all = await capture.packets();
      const connections = readConnections(all);
      const wanted = [echo, open].flatMap((to) => [HTTP_PORT, TCP_PORT].map((port) => between(connections, to, port)));
      const whole = wanted.every((some) => some.length > 0 && some.every(({ whole }) => whole));
      return whole && readable(all, plain).length === 4 ? all : undefined;
    });
    expect(readable(packets, plain)).toEqual(['path', 'header', 'body', 'tcp']);
    expect(packets.filter((packet) => packet.includes(secret))).toEqual([]);
    const connections = readConnections(packets);
    // Nor where it was cut into two packets.
    expect(connections.filter(({ sent, answered }) => [sent, answered].some((all) => all.includes(secret)))).toEqual(
      [],
    );
    for (const [port, least] of [
      [HTTP_PORT, 500],
      [TCP_PORT, 100],
    ] as const) {
      const some = between(connections, echo, port);
      // More than a handshake went over it.
      expect(some.some(({ sent, answered }) => sent.length > least && answered.length > least)).toBe(true);
      for (const { sent, answered } of some) {
        const [ours, theirs] = [readTlsRecords(sent), readTlsRecords(answered)];
        expect([chosenVersion(theirs), isEncrypted(ours), isEncrypted(theirs)]).toEqual([TLS_1_3, true, true]);
      }
      for (const { sent } of between(connections, open, port))
        expect(() => readTlsRecords(sent)).toThrow('no TLS record');
    }
    // The answer of HTTP tells what was asked, so it has the marker too.
    expect(between(connections, open, HTTP_PORT).some(({ answered }) => answered.includes(`path-${plain}`))).toBe(true);
  });
});
