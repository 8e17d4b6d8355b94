import { type Client, Metadata } from '@grpc/grpc-js';
import { connectReplica } from './replica-client.ts';
import type { LinkIdentity, Replica } from './replica-link.ts';

/** So long the token of this pod is used before its file is read again, in ms: kubelet renews it long before it expires. */
const TOKEN_MS = 60_000;

const identity = (bytes: Buffer): Buffer => bytes;

/** Asks other replicas, each by a connection that is kept. */
export class ReplicaQuestions {
  readonly #identity: LinkIdentity;
  readonly #clients = new Map<string, { readonly client: Client; readonly roots: string }>();
  #metadata: { readonly value: Promise<Metadata>; readonly until: number } | undefined;

  constructor(self: LinkIdentity) {
    this.#identity = self;
  }

  /**
   * @param path method, which takes one message and gives one
   * @throws {Error} when there is no answer in time
   */
  async ask(replica: Replica, path: string, question: Uint8Array, withinMs: number): Promise<Buffer> {
    const deadline = Date.now() + withinMs;
    const metadata = await this.#token();
    const client = this.#clientOf(replica);
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        path,
        identity,
        identity,
        Buffer.from(question),
        metadata,
        { deadline },
        (error, answer) => {
          if (answer === undefined) reject(error ?? new Error('there was no answer'));
          else resolve(answer);
        },
      );
    });
  }

  /** Closes the connections to all but these, by UID. */
  keep(replicas: ReadonlySet<string>): void {
    for (const [uid, { client }] of this.#clients) {
      if (replicas.has(uid)) continue;
      client.close();
      this.#clients.delete(uid);
    }
  }

  stop(): void {
    this.keep(new Set());
  }

  #clientOf(replica: Replica): Client {
    const roots = this.#identity.roots();
    const known = this.#clients.get(replica.uid);
    // A root that is replaced is trusted beside the new one for a while, so connections made before go on.
    if (known !== undefined && known.roots === roots) return known.client;
    known?.client.close();
    const client = connectReplica(replica, this.#identity);
    if (client === undefined) throw new Error('there are no roots yet');
    this.#clients.set(replica.uid, { client, roots });
    return client;
  }

  #token(): Promise<Metadata> {
    if (this.#metadata === undefined || this.#metadata.until <= performance.now()) {
      const value = this.#identity.token().then((token) => {
        const metadata = new Metadata();
        metadata.set('authorization', `Bearer ${token}`);
        return metadata;
      });
      this.#metadata = { value, until: performance.now() + TOKEN_MS };
      value.catch(() => {
        this.#metadata = undefined;
      });
    }
    return this.#metadata.value;
  }
}
