import { once } from 'node:events';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { connect as connectTls, createServer } from 'node:tls';
import { describe, expect, test } from '@jest/globals';
import { issueCertificate } from '../e2e/testbed/certificate.ts';
import { chosenVersion, isEncrypted, readTlsRecords } from './tls-records.ts';

/** What goes over the wire in both directions when somebody says something to an echo over TLS. */
async function record(version: 'TLSv1.2' | 'TLSv1.3', text: string): Promise<{ sent: Buffer; answered: Buffer }> {
  const server = createServer({ ...issueCertificate({ commonName: 'x' }), maxVersion: version }, (socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  const [sent, answered]: [Buffer[], Buffer[]] = [[], []];
  const relay = createTcpServer((near: Socket) => {
    const far = connect((server.address() as AddressInfo).port, '127.0.0.1');
    for (const socket of [near, far]) socket.on('error', () => {});
    near.on('data', (bytes: Buffer) => sent.push(bytes)).pipe(far);
    far.on('data', (bytes: Buffer) => answered.push(bytes)).pipe(near);
  });
  await Promise.all([server, relay].map((one) => once(one.listen(0, '127.0.0.1'), 'listening')));
  const socket = connectTls({
    port: (relay.address() as AddressInfo).port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
  });
  socket.write(text);
  await once(socket, 'data');
  socket.destroy();
  await Promise.all([relay, server].map((one) => once(one.close(), 'close')));
  return { sent: Buffer.concat(sent), answered: Buffer.concat(answered) };
}

describe('TLS as it goes over the wire', () => {
  test('of version 1.3 is told by the ServerHello, and shows nothing after the hellos', async () => {
    const { sent, answered } = await record('TLSv1.3', 'something secret');
    expect(chosenVersion(readTlsRecords(answered))).toBe(0x0304);
    expect([sent, answered].map((bytes) => isEncrypted(readTlsRecords(bytes)))).toEqual([true, true]);
  });

  test('of version 1.2 is told from it', async () => {
    const { sent, answered } = await record('TLSv1.2', 'something secret');
    expect(chosenVersion(readTlsRecords(answered))).toBe(0x0303);
    expect([sent, answered].map((bytes) => isEncrypted(readTlsRecords(bytes)))).toEqual([false, false]);
  });

  test('is told from plain text, also from plain text behind it', async () => {
    expect(() => readTlsRecords(Buffer.from('GET / HTTP/1.1\r\n'))).toThrow(
      'byte 0 begins no TLS record: "GET / HTTP/1.1',
    );
    const { sent } = await record('TLSv1.3', 'x');
    expect(() => readTlsRecords(Buffer.concat([sent, Buffer.from('HTTP/1.1 200 OK')]))).toThrow('"HTTP/1.1 200 OK"');
    expect(() => chosenVersion(readTlsRecords(sent))).toThrow('no ServerHello');
    expect(() => chosenVersion([])).toThrow('nothing');
  });
});
