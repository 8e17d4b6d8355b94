import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Agent, request } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

/** Each watch lives so long, in ms, where each is to end with 410. */
const GONE_AFTER_MS = [300, 4000] as const;
/** So long, in ms, events of a kind wait, where they are to come in another order than that in which they happened. */
const DELAY_MS = [0, 3000] as const;
/** How long a kind keeps the delay that it drew, in ms. */
const DELAY_HOLDS_MS = 5000;

const GONE = `${JSON.stringify({
  type: 'ERROR',
  object: {
    apiVersion: 'v1',
    kind: 'Status',
    status: 'Failure',
    code: 410,
    reason: 'Expired',
    message: 'too old resource version',
  },
})}\n`;

/** What goes wrong between who asks and the API server. */
export type ApiFault = 'none' | 'cut' | 'gone' | 'reordered';

/** What came of the faults. */
export interface ApiFaultCounts {
  /** Connections that were cut. */
  cut: number;
  /** Watches that were ended with 410. */
  gone: number;
  /** Events that came after one of another kind which the API server had sent later. */
  overtaken: number;
}

/** Between a client and the API server: plain HTTP on this side, and faults when told. */
export class FaultyApi {
  readonly counts: ApiFaultCounts = { cut: 0, gone: 0, overtaken: 0 };
  private readonly agent: Agent;
  private readonly target: URL;
  private server: Server | undefined;
  private readonly sockets = new Set<Socket>();
  /** Ends a watch with 410; one for each that is open, by its path. */
  private readonly watches = new Map<() => void, string>();
  private readonly delays = new Map<string, { readonly ms: number; readonly until: number }>();
  private fault: ApiFault = 'none';
  private port = 0;
  private sent = 0;
  private newest = 0;

  /** @param ca certificate, PEM, that the API server's is signed by */
  constructor(target: URL, ca: string) {
    this.target = target;
    this.agent = new Agent({ keepAlive: true, ca });
  }

  /** Begins to listen on loopback; gives the URL. */
  async start(): Promise<string> {
    await this.listen();
    return `http://127.0.0.1:${this.port}`;
  }

  /** Has another thing go wrong from now on, or nothing. */
  async set(fault: ApiFault): Promise<void> {
    const before = this.fault;
    this.fault = fault;
    if (fault === 'cut') {
      this.server?.close();
      this.counts.cut += this.sockets.size;
      for (const socket of this.sockets) socket.resetAndDestroy();
    } else if (before === 'cut') await this.listen();
    if (fault === 'gone') for (const end of this.watches.keys()) setTimeout(end, between(GONE_AFTER_MS));
  }

  /** Paths that are watched now. */
  watched(): Set<string> {
    return new Set(this.watches.values());
  }

  stop(): void {
    this.server?.close();
    for (const socket of this.sockets) socket.destroy();
    this.agent.destroy();
  }

  private async listen(): Promise<void> {
    const server = createServer((incoming, response) => this.forward(incoming, response));
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    // Listening on an address and port, it has both.
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }

  private forward(incoming: IncomingMessage, response: ServerResponse): void {
    const { method, url = '', headers } = incoming;
    const outgoing = request(new URL(url, this.target), { method, headers, agent: this.agent }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      if (new URL(url, this.target).searchParams.has('watch') && answer.statusCode === 200) {
        this.watch(url, answer, response);
      } else answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    response.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  }

  /** Hands on a watch line by line, which therefore may wait or be followed by an end. */
  private watch(url: string, answer: IncomingMessage, response: ServerResponse): void {
    const path = url.split('?')[0] ?? url;
    const end = (): void => {
      if (response.writableEnded || response.destroyed) return;
      this.counts.gone += 1;
      response.end(GONE);
      answer.destroy();
    };
    this.watches.set(end, path);
    response.on('close', () => this.watches.delete(end));
    if (this.fault === 'gone') setTimeout(end, between(GONE_AFTER_MS));
    response.flushHeaders();
    const lines = new DelayedLines((line, nth) => {
      if (nth < this.newest) this.counts.overtaken += 1;
      this.newest = Math.max(this.newest, nth);
      if (!response.writableEnded) response.write(line);
    });
    let rest = '';
    answer.setEncoding('utf8');
    answer.on('data', (text: string) => {
      const split = (rest + text).split('\n');
      rest = split.pop() ?? '';
      for (const line of split) lines.put(`${line}\n`, ++this.sent, this.delayOf(path));
    });
    answer.on('end', () => lines.end(() => response.end()));
    answer.on('error', () => response.destroy());
  }

  private delayOf(path: string): number {
    if (this.fault !== 'reordered') return 0;
    const now = performance.now();
    const known = this.delays.get(path);
    if (known !== undefined && known.until > now) return known.ms;
    const ms = between(DELAY_MS);
    this.delays.set(path, { ms, until: now + DELAY_HOLDS_MS });
    return ms;
  }
}

/** Hands lines on after a while, and never in another order than that in which they came: within one watch there is but one. */
class DelayedLines {
  private readonly waiting: { readonly line: string; readonly nth: number; readonly due: number }[] = [];
  private readonly deliver: (line: string, nth: number) => void;
  private timer: NodeJS.Timeout | undefined;
  private whenEmpty: (() => void) | undefined;

  constructor(deliver: (line: string, nth: number) => void) {
    this.deliver = deliver;
  }

  /** @param ms after which it may go, when those before it have gone */
  put(line: string, nth: number, ms: number): void {
    this.waiting.push({ line, nth, due: performance.now() + ms });
    if (this.timer === undefined) this.drain();
  }

  /** Calls back when all have gone. */
  end(whenEmpty: () => void): void {
    this.whenEmpty = whenEmpty;
    if (this.timer === undefined) this.drain();
  }

  private drain(): void {
    this.timer = undefined;
    for (let [first] = this.waiting; first !== undefined; [first] = this.waiting) {
      const ms = first.due - performance.now();
      if (ms > 0) {
        this.timer = setTimeout(() => this.drain(), ms);
        return;
      }
      this.waiting.shift();
      this.deliver(first.line, first.nth);
    }
    this.whenEmpty?.();
  }
}

function between([least, most]: readonly [number, number]): number {
  return least + Math.random() * (most - least);
}
