import { randomBytes } from 'node:crypto';
import { expect } from '@jest/globals';
import { waitFor } from '../../../hack/mesh/wait.ts';
import { readConnections, type TcpConnection } from '../../wire/tcp-connections.ts';
import { chosenVersion, isEncrypted, readTlsRecords } from '../../wire/tls-records.ts';
import type { PodIdentity } from './pod-identity.ts';
import type { Client } from './testbed-client.ts';
import { HTTP_PORT, TCP_PORT } from './testbed-objects.ts';

const TLS_1_3 = 0x0304;

/** A caller, a server that takes nothing but mutual TLS, and one that takes plaintext. The Services have the names that are given. */
export interface WirePods {
  readonly caller: PodIdentity;
  readonly secret: { readonly host: string; readonly pod: PodIdentity };
  readonly open: { readonly host: string; readonly pod: PodIdentity };
}

/** Says something in every part of a request, over HTTP and over TCP, and hears it again. */
async function say(inside: Client, host: string, marker: string): Promise<void> {
  const wish = { method: 'POST', headers: { 'x-secret': `header-${marker}` }, body: `body-${marker}` };
  const { path, headers } = await inside.echo(`http://${host}/path-${marker}`, wish);
  expect([path, headers['x-secret']]).toEqual([`/path-${marker}`, `header-${marker}`]);
  expect((await inside.tcp(`${host}:90`, `tcp-${marker}`)).body).toBe(`tcp-${marker}`);
}

/** Which parts of what was said can be read in some bytes. */
const readable = (bytes: readonly Buffer[], marker: string): string[] =>
  ['path', 'header', 'body', 'tcp'].filter((part) => bytes.some((one) => one.includes(`${part}-${marker}`)));

const between = (all: readonly TcpConnection[], from: PodIdentity, to: PodIdentity, port: number): TcpConnection[] =>
  all.filter(({ client, server }) => client.startsWith(`${from.ip}:`) && server === `${to.ip}:${port}`);

/**
 * Calls both servers and expects of what was captured that all that was said to the one is TLS 1.3 of which nothing is to be read. The same
 * said to the other is to be read: so what is captured can be, and it came behind what must not be.
 * @param inside the caller
 * @param captured packets of all three pods so far: of each place by itself that sees all of them pass
 */
export async function expectSecrecy(
  inside: Client,
  pods: WirePods,
  captured: () => Promise<readonly (readonly Buffer[])[]>,
): Promise<void> {
  const [secret, plain] = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')];
  await say(inside, pods.secret.host, secret);
  await say(inside, pods.open.host, plain);
  const isAll = (packets: readonly Buffer[]): boolean => {
    const connections = readConnections(packets);
    const wanted = [pods.secret, pods.open].flatMap(({ pod }) =>
      [HTTP_PORT, TCP_PORT].map((port) => between(connections, pods.caller, pod, port)),
    );
    const isWhole = wanted.every((some) => some.length > 0 && some.every(({ whole }) => whole));
    return isWhole && readable(packets, plain).length === 4;
  };
  const places = await waitFor('all that was said to be captured', async () => {
    const all = await captured();
    return all.every(isAll) ? all : undefined;
  });
  for (const packets of places) {
    expect(readable(packets, plain)).toEqual(['path', 'header', 'body', 'tcp']);
    expect(packets.filter((packet) => packet.includes(secret))).toEqual([]);
    const connections = readConnections(packets);
    // Nor where it was cut into two packets.
    expect(connections.filter(({ sent, answered }) => [sent, answered].some((all) => all.includes(secret)))).toEqual(
      [],
    );
    expectTls(connections, pods);
    // The answer of HTTP tells what was asked, so it has the marker too.
    const open = between(connections, pods.caller, pods.open.pod, HTTP_PORT);
    expect(open.some(({ answered }) => answered.includes(`path-${plain}`))).toBe(true);
  }
}

function expectTls(connections: readonly TcpConnection[], { caller, secret, open }: WirePods): void {
  for (const [port, least] of [
    [HTTP_PORT, 500],
    [TCP_PORT, 100],
  ] as const) {
    const some = between(connections, caller, secret.pod, port);
    // More than a handshake went over it.
    expect(some.some(({ sent, answered }) => sent.length > least && answered.length > least)).toBe(true);
    for (const { sent, answered } of some) {
      const [ours, theirs] = [readTlsRecords(sent), readTlsRecords(answered)];
      expect([chosenVersion(theirs), isEncrypted(ours), isEncrypted(theirs)]).toEqual([TLS_1_3, true, true]);
    }
    for (const { sent } of between(connections, caller, open.pod, port))
      expect(() => readTlsRecords(sent)).toThrow('no TLS record');
  }
}
