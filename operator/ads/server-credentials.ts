import { constants } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';

/** PEM texts of the server's certificate chain and private key. */
export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
}

/** Bounds of one HTTP/2 connection. A proxy needs two streams and sends little. */
const SESSION_BOUNDS = {
  settings: { maxConcurrentStreams: 16, maxHeaderListSize: 32_768, initialWindowSize: 65_535 },
  maxHeaderListPairs: 64,
  maxSettings: 32,
  maxSessionInvalidFrames: 100,
  maxSessionRejectedStreams: 100,
  handshakeTimeout: 10_000,
} as const;

/**
 * TLS credentials whose certificate can be replaced: new connections get the new one, live streams go on. Until the first
 * certificate is there connections are closed.
 */
export class ReplaceableCredentials extends ServerCredentials {
  constructor() {
    super({
      ...SESSION_BOUNDS,
      minVersion: 'TLSv1.2',
      requestCert: false,
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    });
  }

  /** @throws Error when certificate and key do not belong together; the earlier ones then stay in use */
  replace({ cert, key }: ServerCertificate): void {
    this.updateSecureContextOptions({ ...checked({ cert, key }), minVersion: 'TLSv1.2' });
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

function checked(certificate: ServerCertificate): ServerCertificate {
  createSecureContext(certificate);
  return certificate;
}
