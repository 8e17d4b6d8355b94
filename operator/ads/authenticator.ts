import type { ProxyIdentity } from '../xds/resource.ts';

/** Who opens a stream, as far as can be seen before its first message. */
export interface Credentials {
  /** The bearer token of the `authorization` header. */
  readonly token: string;
  /** Address of the other end of the connection, without the port. */
  readonly peerAddress: string;
}

/** A proxy that proved who it is. */
export interface AuthenticatedProxy {
  readonly identity: ProxyIdentity;
  /** When the token stops being good, in ms since the epoch by our clock: the stream ends then and the proxy comes back with a new one. */
  readonly expiresAt: number;
  /** Binds the node ID of the first message to the identity. @throws RefusalError when it is another proxy's */
  checkNodeId(nodeId: string): void;
}

/** Port: says who a proxy is. */
export interface Authenticator {
  /** @throws RefusalError with a message that the proxy may read */
  authenticate(credentials: Credentials): Promise<AuthenticatedProxy>;
}
