import type { ServerResponse } from 'node:http';
import type { Logger } from '../../kube/logger.ts';
import { encodeInTurns } from './turns.ts';
import type { Changed, ViewSource } from './view-source.ts';

export interface EventStreamSettings {
  /** How often the graph is told, in ms. */
  readonly graphMs: number;
  /** Changes within this time are told together, in ms. */
  readonly coalesceMs: number;
  /** Streams at the same time. */
  readonly most: number;
  /** A client with so many bytes that it has not read is let go. */
  readonly mostUnread: number;
}

const EVENT_STREAM_SETTINGS: EventStreamSettings = {
  graphMs: 5000,
  coalesceMs: 500,
  most: 32,
  mostUnread: 4 << 20,
};

const GRAPH_SECONDS = 60;

interface Client {
  readonly response: ServerResponse;
  /** Bytes that wait for the client, and whether it has taken any since the last graph. */
  unread: number;
}

/** Tells clients of the graph every few seconds, and of what changed: made once, for all of them. */
export class EventStream {
  readonly #source: ViewSource;
  readonly #logger: Logger;
  readonly #settings: EventStreamSettings;
  readonly #clients = new Set<Client>();
  readonly #changed = new Set<Changed>();
  #graph: NodeJS.Timeout | undefined;
  #changes: NodeJS.Timeout | undefined;
  #unfollow: (() => void) | undefined;

  constructor(source: ViewSource, logger: Logger, settings: Partial<EventStreamSettings> = {}) {
    this.#source = source;
    this.#logger = logger;
    this.#settings = { ...EVENT_STREAM_SETTINGS, ...settings };
  }

  get hasRoom(): boolean {
    return this.#clients.size < this.#settings.most;
  }

  /** Streams that are open. */
  get size(): number {
    return this.#clients.size;
  }

  /** Begins to tell a client. */
  open(response: ServerResponse): void {
    const client: Client = { response, unread: 0 };
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' });
    response.write('retry: 2000\n\n');
    this.#clients.add(client);
    response.on('close', () => this.#remove(client));
    if (this.#clients.size > 1) return;
    this.#unfollow = this.#source.onChanged((what) => this.#note(what));
    this.#tellGraph();
  }

  stop(): void {
    for (const { response } of this.#clients) response.destroy();
    for (const client of [...this.#clients]) this.#remove(client);
  }

  #remove(client: Client): void {
    this.#clients.delete(client);
    if (this.#clients.size > 0) return;
    clearTimeout(this.#graph);
    clearTimeout(this.#changes);
    this.#changes = undefined;
    this.#changed.clear();
    this.#unfollow?.();
    this.#unfollow = undefined;
  }

  #tellGraph(): void {
    this.#source
      .graph({ seconds: GRAPH_SECONDS, namespace: undefined })
      .then(async (graph) => this.#send('graph', await encodeInTurns(graph)))
      .catch((error: unknown) => this.#logger.warn('graph could not be told', { error: String(error) }))
      .finally(() => {
        clearTimeout(this.#graph);
        if (this.#clients.size > 0) this.#graph = setTimeout(() => this.#tellGraph(), this.#settings.graphMs);
      });
  }

  #note(what: Changed): void {
    this.#changed.add(what);
    this.#changes ??= setTimeout(() => {
      this.#changes = undefined;
      for (const one of this.#changed) this.#send('changed', one);
      this.#changed.clear();
    }, this.#settings.coalesceMs);
  }

  /** Who does not read costs no more than a bound, and not for long: what it was not told it asks for when it comes back. */
  #send(event: string, data: string): void {
    const frame = Buffer.from(`event: ${event}\ndata: ${data}\n\n`);
    for (const client of [...this.#clients]) {
      const { response } = client;
      const isStuck = event === 'graph' && client.unread > 0 && response.writableLength >= client.unread;
      if (isStuck || response.writableLength > this.#settings.mostUnread) {
        response.destroy();
        continue;
      }
      response.write(frame);
      if (event === 'graph') client.unread = response.writableLength;
    }
  }
}
