import type { AddressInfo } from 'node:net';
import { connect, createServer, type PeerCertificate, type TLSSocket } from 'node:tls';

/** A certificate with its intermediates and its key, PEM. */
export interface Pair {
  readonly chain: string;
  readonly privateKey: string;
}

/**
 * A mutual TLS handshake; gives what the server saw of the client.
 * @param roots PEM; what both sides trust
 * @throws {Error} when one of them refuses the other
 */
export async function handshake(server: Pair, client: Pair, roots: string): Promise<PeerCertificate> {
  const options = { ca: roots, requestCert: true, rejectUnauthorized: true };
  const listener = createServer({ ...options, cert: server.chain, key: server.privateKey });
  const seen = new Promise<PeerCertificate>((resolve, reject) => {
    listener.once('secureConnection', (socket: TLSSocket) => resolve(socket.getPeerCertificate()));
    listener.once('tlsClientError', reject);
  });
  await new Promise<void>((resolve) => {
    listener.listen(0, '127.0.0.1', resolve);
  });
  const { port } = listener.address() as AddressInfo;
  // The SPIFFE ID stands in the place of a host name.
  const checkServerIdentity = () => undefined;
  const socket = connect({ ...options, port, cert: client.chain, key: client.privateKey, checkServerIdentity });
  const refused = new Promise<never>((_, reject) => {
    socket.once('error', reject);
  });
  try {
    return await Promise.race([seen, refused]);
  } finally {
    socket.destroy();
    listener.close();
  }
}
