import { type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import type { Logger } from '../../kube/logger.ts';
import type { ProxyIdentity } from '../xds/resource.ts';
import { admit } from './admission.ts';
import type { Authenticator } from './authenticator.ts';
import { type Refusal, RefusalError } from './refusal.ts';

/** One more method that the port serves: a question and its answer. */
export interface UnaryCall {
  readonly path: string;
  /** Default: that of proxies. */
  readonly authenticator?: Authenticator;
  /** Answers a question of somebody who proved who they are. @throws {Error} when there is no answer; its message is not told */
  answer(identity: ProxyIdentity, question: Buffer): Promise<Uint8Array>;
}

/** Who hears of questions. */
export interface UnaryObserver {
  /** The token of a peer is good. */
  authenticated(peer: string): void;
  refused(refusal: Refusal): void;
  readonly logger: Logger;
}

type Question = ServerUnaryCall<Buffer, Buffer>;

/** Of questions that are refused, and of those that are not answered, one is told in so long, in ms: each request of a caller may bring one. */
const TOLD_MS = 30_000;

/** Answers the questions of a method, each after its token. */
export function unaryHandler(
  { path, authenticator, answer }: UnaryCall & { readonly authenticator: Authenticator },
  { authenticated, refused, logger }: UnaryObserver,
) {
  const [refusals, failures] = [seldom(), seldom()];
  const reply = async (call: Question, send: sendUnaryData<Buffer>): Promise<void> => {
    const peer = call.getPeer();
    try {
      const { identity } = await admit(call, authenticator);
      authenticated(peer);
      send(null, Buffer.from(await answer(identity, call.request)));
    } catch (error) {
      if (error instanceof RefusalError) {
        const { code, details } = error;
        refused(error);
        refusals(() => logger.info('question refused', { peer, path, code: status[code], reason: details }));
        send({ code, details });
        return;
      }
      failures(() => logger.warn('questions are not answered', { path, error: String(error) }));
      send({ code: status.UNAVAILABLE, details: 'there is no answer; try again' });
    }
  };
  return (call: Question, send: sendUnaryData<Buffer>): void => void reply(call, send);
}

/** Lets one of many through in so long. */
function seldom(): (tell: () => void) => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  return (tell) => {
    if (performance.now() - toldAt < TOLD_MS) return;
    toldAt = performance.now();
    tell();
  };
}
