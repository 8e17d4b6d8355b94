import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { readMeshConfig } from '../../api/mesh-config.ts';
import { silentLogger } from '../../kube/logger.ts';
import { KeyFetcher } from '../../operator/jwks/key-fetcher.ts';
import { MeshBuilder } from '../../operator/mesh/mesh-builder.ts';
import { pod, requestAuthentication, SETTINGS } from '../../operator/mesh/testing/objects.ts';
import { blockList } from '../../operator/outward/destination.ts';
import { trustIn } from '../../operator/outward/tls-trust.ts';
import { type Identity, issueCertificate } from '../e2e/testbed/certificate.ts';

/** Keys of tokens from real TLS servers, by a CA of the mesh's settings. */

const CA = { commonName: 'Corporate root', ...issueCertificate({ commonName: 'Corporate root', authority: true }) };
const by = (names: string[], more: object = {}): Identity =>
  issueCertificate({ commonName: 'issuer', names, issuer: CA, ...more });
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
const KEYS = JSON.stringify({ keys: [key] });
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  // It listens on an address.
  return (server.address() as AddressInfo).port;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
const issuer = (identity: Identity, answer: Answer = (_, response) => void response.end(KEYS)) =>
  listen(createServer(identity, answer).on('tlsClientError', () => {}));

/** What the mesh makes of the keys at a URI: those that a token is verified with, and what the policy's condition says. */
async function judged(uri: string, extraRootCA: string, timeoutMs = 20_000): Promise<{ keys: string; told: string }> {
  const { jwks } = readMeshConfig(JSON.stringify({ jwks: { extraRootCA, allowedAddresses: ['127.0.0.0/8'] } }));
  const fetcher = new KeyFetcher({
    allowed: blockList(jwks.allowedAddresses),
    trust: trustIn(jwks.extraRootCA),
    logger: silentLogger,
  });
  ends.push(() => fetcher.stop());
  fetcher.want(uri, timeoutMs);
  await fetcher.settled(60_000);
  const builder = new MeshBuilder(SETTINGS);
  const object = fetcher.get(uri);
  if (object === undefined) throw new Error('it was not tried within a minute');
  builder.apply([
    { kind: 'Pod', key: 'shop/web', object: pod('web') },
    {
      kind: 'RequestAuthentication',
      key: 'shop/a',
      object: requestAuthentication('shop/a', { jwtRules: [{ issuer: 'me', jwksUri: uri }] }),
    },
    { kind: 'Jwks', key: uri, object },
  ]);
  const [tokens] = builder.snapshot.workloads.get('uid-web')?.tokens ?? [];
  const view = builder.snapshot.policies.get('RequestAuthentication/shop/a');
  return {
    keys: tokens?.keys[0]?.text ?? '',
    told: [...(view?.problems.map(({ message }) => message) ?? []), ...(view?.notes ?? [])].join(),
  };
}

describe('keys by https', () => {
  test("are fetched from a server whose certificate is by the settings' authority", async () => {
    const port = await issuer(by(['localhost']));
    const { keys, told } = await judged(`https://localhost:${port}/keys`, CA.cert);
    expect([JSON.parse(keys).keys[0].x, told]).toEqual([key.x, '']);
  });

  const another = issueCertificate({ commonName: 'another', authority: true }).cert;
  test.each([
    ['an authority that nobody knows', by(['localhost']), another, 'is by no authority that is known here'],
    ['an authority that only the settings could name', by(['localhost']), '', 'jwks.extraRootCA of the mesh can add'],
    ['itself', issueCertificate({ commonName: 'x', names: ['localhost'] }), CA.cert, 'is by no authority'],
    ['another name', by(['other.example']), CA.cert, 'is for another name (ERR_TLS_CERT_ALTNAME_INVALID)'],
    ['a time that is over', by(['localhost'], { expired: true }), CA.cert, 'has expired (CERT_HAS_EXPIRED)'],
  ])('are not taken where the certificate is of %s', async (_, identity, extraRootCA, problem) => {
    const asked: string[] = [];
    const port = await issuer(identity, ({ url = '' }) => void asked.push(url));
    const { keys, told } = await judged(`https://localhost:${port}/keys`, extraRootCA);
    expect(told).toContain(`the keys at https://localhost:${port}/keys could not be fetched (its certificate`);
    expect(told).toContain(problem);
    expect(told).toContain('no token is valid');
    expect(keys).not.toContain(String(key.x));
    expect(asked).toEqual([]);
  });

  test('are not taken from where the server leads to by http', async () => {
    const plain = await listen(createTcpServer((socket) => void socket.end('HTTP/1.1 200 OK\r\n\r\n')));
    const location = `http://localhost:${plain}/keys`;
    const port = await issuer(by(['localhost']), (_, response) => void response.writeHead(302, { location }).end());
    const { told } = await judged(`https://localhost:${port}/keys`, CA.cert);
    expect(told).toContain('it leads from https to http');
  });

  test('are not taken from where the issuer says that they are by http', async () => {
    const plain = await listen(createHttpServer((_, response) => void response.end(KEYS)));
    const document = JSON.stringify({ jwks_uri: `http://localhost:${plain}/keys` });
    const port = await issuer(by(['localhost']), (_, response) => void response.end(document));
    const { keys, told } = await judged(`https://localhost:${port}/.well-known/openid-configuration`, CA.cert);
    expect(told).toContain('it leads from https to http');
    expect(keys).not.toContain(String(key.x));
  });

  test('are taken from where the server leads to by https, with a good certificate alone', async () => {
    const lead = async (to: number) =>
      issuer(by(['localhost']), (_, response) => {
        response.writeHead(302, { location: `https://localhost:${to}/keys` }).end();
      });
    const good = await lead(await issuer(by(['localhost'])));
    expect((await judged(`https://localhost:${good}/keys`, CA.cert)).told).toBe('');
    const bad = await lead(await issuer(by(['other.example'])));
    expect((await judged(`https://localhost:${bad}/keys`, CA.cert)).told).toContain('is for another name');
  });

  test('are waited for no longer than their time, however slow the handshake is', async () => {
    // Takes connections and says nothing.
    const port = await listen(createTcpServer(() => {}));
    expect((await judged(`https://localhost:${port}/keys`, CA.cert, 1000)).told).toContain(
      'it took longer than 1000 ms',
    );
  });

  test('are not sought with authorities that are none', () => {
    for (const extraRootCA of ['no PEM', by(['localhost']).cert, `${CA.cert}and more`]) {
      expect(() => readMeshConfig(JSON.stringify({ jwks: { extraRootCA } }))).toThrow('jwks.extraRootCA: must be');
    }
    expect(readMeshConfig(JSON.stringify({ jwks: { extraRootCA: CA.cert + another } })).jwks.extraRootCA).not.toBe('');
  });
});
