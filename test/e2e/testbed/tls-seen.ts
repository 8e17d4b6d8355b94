import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { TlsSeen } from './echo.ts';

/** What a server's socket tells of its TLS; undefined for plain text. */
export function tlsSeen(socket: Socket | TLSSocket | undefined): TlsSeen | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  // The types leave out `servername` of a server's socket, which is false when the caller names none.
  const { servername } = socket as TLSSocket & { servername?: string | false };
  const certificate = socket.getPeerX509Certificate();
  return {
    sni: servername || '',
    alpn: socket.alpnProtocol || '',
    ...(certificate && {
      client: {
        subject: certificate.subject ?? '',
        san: certificate.subjectAltName ?? '',
        issuer: certificate.issuer ?? '',
        verified: socket.authorized,
      },
    }),
  };
}
