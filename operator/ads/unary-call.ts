import { type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import type { ProxyIdentity } from '../xds/resource.ts';
import { admit } from './admission.ts';
import type { Authenticator } from './authenticator.ts';
import { RefusalError } from './refusal.ts';

/** One more method that the port serves: a question and its answer. */
export interface UnaryCall {
  readonly path: string;
  /** Default: that of proxies. */
  readonly authenticator?: Authenticator;
  /** Answers a question of somebody who proved who they are. @throws {Error} when there is no answer; its message is not told */
  answer(identity: ProxyIdentity, question: Buffer): Promise<Uint8Array>;
}

type Question = ServerUnaryCall<Buffer, Buffer>;

/**
 * Answers one question, after its token.
 * @param authenticated told of the peer when its token is good
 * @param failed told of errors of our own
 */
export async function answerUnary(
  call: Question,
  send: sendUnaryData<Buffer>,
  { authenticator, answer }: UnaryCall & { readonly authenticator: Authenticator },
  authenticated: (peer: string) => void,
  failed: (error: unknown) => void,
): Promise<void> {
  try {
    const { identity } = await admit(call, authenticator);
    authenticated(call.getPeer());
    send(null, Buffer.from(await answer(identity, call.request)));
  } catch (error) {
    if (error instanceof RefusalError) {
      send({ code: error.code, details: error.details });
      return;
    }
    failed(error);
    send({ code: status.UNAVAILABLE, details: 'there is no answer; try again' });
  }
}
