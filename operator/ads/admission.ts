import type { Metadata } from '@grpc/grpc-js';
import type { AuthenticatedProxy, Authenticator } from './authenticator.ts';
import { unauthenticated } from './refusal.ts';

/** The parts of a gRPC call with which a stream proves who it is. */
export interface Caller {
  readonly metadata: Metadata;
  getPeer(): string;
}

/**
 * Authenticates the caller of a stream by its metadata, before any of its messages is read.
 * @throws RefusalError
 */
export async function admit(caller: Caller, authenticator: Authenticator): Promise<AuthenticatedProxy> {
  const [header] = caller.metadata.get('authorization');
  if (header === undefined) {
    throw unauthenticated('no authorization header; send the pod token as "Bearer TOKEN"');
  }
  const token = /^Bearer +(\S+)\s*$/i.exec(String(header))?.[1];
  if (token === undefined) {
    throw unauthenticated('the authorization header is not of the form "Bearer TOKEN"');
  }
  return authenticator.authenticate({ token, peerAddress: addressOf(caller.getPeer()) });
}

/** The address of `ADDRESS:PORT`. */
function addressOf(peer: string): string {
  const colon = peer.lastIndexOf(':');
  return colon < 0 ? peer : peer.slice(0, colon);
}
