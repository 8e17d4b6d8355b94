import type { CallerIdentity } from './caller-identity.ts';
import type { HttpRequest } from './request.ts';

/** Claims of tokens that were found valid. */
export type Claims = Readonly<Record<string, unknown>>;

/** A call as the server's sidecar sees it. */
export interface CallFacts {
  /** By the caller's certificate; absent: it showed none. */
  readonly identity?: CallerIdentity;
  /** Address that the connection comes from. */
  readonly sourceIp: string;
  /** Address and port that it was made to. */
  readonly destinationIp: string;
  readonly port: number;
  /** Name in the TLS handshake. */
  readonly serverName?: string;
  /** Absent: bytes of which nobody knows what they are. */
  readonly request?: HttpRequest;
  /** Of the end user's token; absent: it showed none. */
  readonly claims?: Claims;
}
