import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { TlsVersion } from '../../api/mesh-config.ts';
import { peerAuthentication } from '../../operator/mesh/testing/objects.ts';
import { MESH_ALPN } from '../../proxy/names.ts';
import { chosenVersion, readTlsRecords } from '../wire/tls-records.ts';
import { PeerWorld, PRINCIPAL } from './support/peer-world.ts';

const [TLS_1_2, TLS_1_3] = [0x0303, 0x0304];
const NONE = 0;

/** Versions that servers chose since the last time; of one that chose none, what its first record is. */
function chosenVersions(world: PeerWorld): ReadonlySet<number | string> {
  const answers = world.wire.overheard().map(({ answered }) => readTlsRecords(answered));
  return new Set(
    answers.map((records) =>
      records[0]?.type === 'handshake' ? chosenVersion(records) : (records[0]?.type ?? 'nothing'),
    ),
  );
}

describe.each<[TlsVersion | undefined, number, number]>([
  [undefined, NONE, 503],
  ['TLSV1_2', 200, 200],
])('with meshMTLS.minProtocolVersion %s', (minProtocolVersion, caller, server) => {
  let world: PeerWorld;

  beforeAll(async () => {
    world = await PeerWorld.start(minProtocolVersion && { meshMTLS: { minProtocolVersion } });
    await world.enforce([peerAuthentication('shop/n', { mtls: { mode: 'STRICT' } })]);
  }, 60_000);
  afterAll(() => world?.stop());

  test.each(['http', 'any', 'tcp', 'bare', 'other'] as const)(
    `who speaks no more than TLS 1.2 gets ${caller} at port %s, with a certificate of the mesh`,
    async (port) => {
      expect(await world.callByMutualTls(port, PRINCIPAL, 'TLSv1.3')).toBe(200);
      expect(await world.callByMutualTls(port, PRINCIPAL, 'TLSv1.2')).toBe(caller);
    },
  );

  test(`a call to a server that speaks no more than TLS 1.2 is answered ${server}`, async () => {
    const { cert, key } = world.credentials.workload;
    const options = { cert, key, requestCert: true, rejectUnauthorized: false, ALPNProtocols: [MESH_ALPN] };
    const tls = createServer({ ...options, maxVersion: 'TLSv1.2' });
    tls.on('tlsClientError', () => {});
    tls.on('secureConnection', (socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'));
    });
    tls.listen(0, '127.0.0.1');
    await once(tls, 'listening');
    world.wire.cut();
    world.wire.diverted = (tls.address() as AddressInfo).port;
    try {
      world.wire.overheard();
      expect((await world.call('http')).status).toBe(server);
      expect(chosenVersions(world)).toEqual(new Set([server === 200 ? TLS_1_2 : 'alert']));
    } finally {
      world.wire.diverted = undefined;
      world.wire.cut();
      tls.close();
    }
  });

  test('sidecars speak TLS 1.3 with each other', async () => {
    world.wire.overheard();
    expect((await world.call('http')).status).toBe(200);
    expect(chosenVersions(world)).toEqual(new Set([TLS_1_3]));
  });
});
