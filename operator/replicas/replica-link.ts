import { type Client, type ClientWritableStream, Metadata } from '@grpc/grpc-js';
import { Backoff, pause } from '../../kube/backoff.ts';
import type { Logger } from '../../kube/logger.ts';
import { connectReplica } from './replica-client.ts';
import { encodeReport, NOTHING_TO_REPORT } from './report-message.ts';
import type { ReportQueue } from './report-queue.ts';

/** Method of the stream by which a replica reports to another: one way, nothing is answered. */
export const REPORT_PATH = '/heddle.replicas.v1.Replicas/Report';

/** Another replica of the operator. */
export interface Replica {
  /** UID of its pod. */
  readonly uid: string;
  readonly podName: string;
  /** Where its xDS port is: `IP:PORT`, `[IP]:PORT` for IPv6. */
  readonly target: string;
}

/** How this replica proves who it is, and knows the other. */
export interface LinkIdentity {
  /** In the form of a proxy's node ID. */
  readonly nodeId: string;
  /** Newest ServiceAccount token of this pod. */
  token(): Promise<string>;
  /** Name that the other's certificate must carry. */
  readonly serverName: string;
  /** Roots, PEM, one of which signed the other's certificate; '' while there are none. */
  roots(): string;
}

/** What a link says of itself while it has a stream. */
export interface OpenLink {
  readonly queue: ReportQueue;
  close(): void;
}

const RETRY_MS: readonly [number, number] = [200, 10_000];
/** Changes within this time are told together, in ms. */
const COALESCE_MS = 10;

const serialize = (bytes: Buffer): Buffer => bytes;
const nothing = (): undefined => undefined;

/** Keeps a stream to another replica for as long as that is there, and tells by it what is in a queue. */
export class ReplicaLink {
  private readonly replica: Replica;
  private readonly identity: LinkIdentity;
  private readonly open: () => OpenLink;
  private readonly logger: Logger;
  private readonly ended = new AbortController();
  private wake: () => void = nothing;

  /** @param open makes the queue of a stream that begins, which holds all that there is to tell */
  constructor(replica: Replica, identity: LinkIdentity, open: () => OpenLink, logger: Logger) {
    this.replica = replica;
    this.identity = identity;
    this.open = open;
    this.logger = logger.child({ replica: replica.podName });
  }

  /** Tells until `stop` is called. */
  async run(): Promise<void> {
    const { signal } = this.ended;
    const backoff = new Backoff(...RETRY_MS);
    let told = '';
    while (!signal.aborted) {
      const began = performance.now();
      const problem = await this.connect().catch((error: unknown) => String(error));
      if (signal.aborted) return;
      if (performance.now() - began > RETRY_MS[1]) {
        backoff.reset();
        told = '';
      }
      // A replica that comes or goes can't be reached for a while: it is said once.
      if (problem !== told) this.logger.info('does not report to a replica, tries again', { problem });
      told = problem;
      await pause(backoff.next(), signal);
    }
  }

  /** There is something to tell. */
  notify(): void {
    this.wake();
  }

  stop(): void {
    this.ended.abort();
  }

  /** One stream, from beginning to end. Gives why it ended. */
  private async connect(): Promise<string> {
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${await this.identity.token()}`);
    const client = connectReplica(this.replica, this.identity);
    if (client === undefined) return 'there are no roots yet';
    try {
      return await this.tell(client, metadata);
    } finally {
      client.close();
    }
  }

  private tell(client: Client, metadata: Metadata): Promise<string> {
    const { signal } = this.ended;
    return new Promise((resolve) => {
      const call: ClientWritableStream<Buffer> = client.makeClientStreamRequest(
        REPORT_PATH,
        serialize,
        nothing,
        metadata,
        (error) => finish(error?.message ?? 'the replica ended the stream'),
      );
      const { queue, close } = this.open();
      let timer: NodeJS.Timeout | undefined;
      let waits = false;
      let over = false;
      const finish = (problem: string): void => {
        if (over) return;
        over = true;
        clearTimeout(timer);
        signal.removeEventListener('abort', stop);
        this.wake = nothing;
        close();
        resolve(problem);
      };
      const stop = (): void => {
        call.cancel();
        finish('this replica stops');
      };
      const send = (): void => {
        timer = undefined;
        const message = over ? undefined : queue.next();
        if (message === undefined) return;
        // The other takes no more than it has room for; what happens meanwhile is told as it is then.
        waits = true;
        call.write(encodeReport(message), () => {
          waits = false;
          setImmediate(send);
        });
      };
      this.wake = () => {
        if (!waits) timer ??= setTimeout(send, COALESCE_MS);
      };
      signal.addEventListener('abort', stop, { once: true });
      call.on('error', nothing);
      call.write(encodeReport({ ...NOTHING_TO_REPORT, nodeId: this.identity.nodeId }));
      this.wake();
    });
  }
}
