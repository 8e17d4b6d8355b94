import type { ServerDuplexStream } from '@grpc/grpc-js';
import { admit } from './admission.ts';
import type { AuthenticatedProxy, Authenticator } from './authenticator.ts';
import { type Refusal, RefusalError, tooLate, unauthenticated, unavailable } from './refusal.ts';

/** A gRPC call of a proxy: ADS, or metrics (which answers nothing). */
export type Call = ServerDuplexStream<Buffer, Buffer>;

/** Bounds of a call, in ms. */
export interface CallSettings {
  /** From the accepted token to the first message. */
  readonly firstMessageMs: number;
  /** How long the other end may take to read why its call ended, before its connection is closed. */
  readonly farewellMs: number;
}

/** The protocol that is spoken on a call once its proxy is known. */
export interface Conversation {
  /** The node ID of the first message. @throws RefusalError when the bytes are malformed */
  nodeId(first: Buffer): string;
  /** Starts; `end` ends the call from this side. Gives what takes the messages, the first one included. */
  start(proxy: AuthenticatedProxy, end: (refusal: Refusal) => void): Listener;
}

/** Takes the messages of a call. */
export interface Listener {
  /** @throws RefusalError when the bytes are malformed */
  message(bytes: Buffer): void;
  /** The call is over, whoever ended it. */
  closed(): void;
}

/** What is told of calls. */
export interface CallObserver {
  authenticated(peer: string): void;
  refused(peer: string, refusal: Refusal): void;
  /** An error of our own. */
  failed(peer: string, error: unknown): void;
  /** The call is over for us, but the other end does not let it end. */
  stuck(peer: string): void;
}

/** Longest delay of a timer in Node. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Streams end up to this share of their token's remaining life early, so that they do not all end at one moment. */
const EXPIRY_JITTER = 0.1;

/**
 * One call: authenticates its metadata, binds the node ID of the first message, and hands over the messages. Nothing is read
 * before the token is accepted.
 */
export class ProxyCall {
  private readonly call: Call;
  private readonly peer: string;
  private readonly conversation: Conversation;
  private readonly observer: CallObserver;
  private readonly settings: CallSettings;
  private listener: Listener | undefined;
  private over = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(call: Call, conversation: Conversation, observer: CallObserver, settings: CallSettings) {
    this.call = call;
    this.peer = call.getPeer();
    this.conversation = conversation;
    this.observer = observer;
    this.settings = settings;
    for (const event of ['cancelled', 'close', 'error'] as const) {
      call.on(event, () => this.finish());
    }
    call.on('end', () => {
      this.finish();
      call.end();
    });
  }

  async run(authenticator: Authenticator): Promise<void> {
    try {
      const proxy = await admit(this.call, authenticator);
      if (this.over) {
        return;
      }
      const bound = this.settings.firstMessageMs;
      this.timer = after(bound, () => this.end(tooLate(`no first message within ${bound} ms`)));
      this.call.on('data', (bytes: Buffer) => this.take(bytes, proxy));
    } catch (error) {
      this.fail(error);
    }
  }

  private take(bytes: Buffer, proxy: AuthenticatedProxy): void {
    if (this.over) {
      return;
    }
    try {
      this.listener ??= this.begin(bytes, proxy);
      this.listener.message(bytes);
    } catch (error) {
      this.fail(error);
    }
  }

  private begin(first: Buffer, proxy: AuthenticatedProxy): Listener {
    proxy.checkNodeId(this.conversation.nodeId(first));
    clearTimeout(this.timer);
    const left = Math.max(0, proxy.expiresAt - Date.now()) * (1 - Math.random() * EXPIRY_JITTER);
    this.timer = after(left, () =>
      this.end(unauthenticated('the token of this stream expires; come back with the new one')),
    );
    this.observer.authenticated(this.peer);
    return this.conversation.start(proxy, (refusal) => this.end(refusal));
  }

  private fail(error: unknown): void {
    if (error instanceof RefusalError) {
      this.end(error);
    } else {
      this.observer.failed(this.peer, error);
      this.end(unavailable('the stream failed inside the control plane; try again'));
    }
  }

  private end({ code, details }: Refusal): void {
    if (this.over) {
      return;
    }
    this.finish();
    this.observer.refused(this.peer, { code, details });
    const farewell = after(this.settings.farewellMs, () => this.observer.stuck(this.peer));
    // With that the other end has read everything, and so why it ended.
    this.call.once('close', () => clearTimeout(farewell));
    this.call.emit('error', { code, details });
  }

  private finish(): void {
    if (!this.over) {
      this.over = true;
      clearTimeout(this.timer);
      this.listener?.closed();
    }
  }
}

function after(ms: number, act: () => void): NodeJS.Timeout {
  const timer = setTimeout(act, Math.min(ms, MAX_TIMER_MS));
  timer.unref();
  return timer;
}
