import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Envoy closes a connection that has more than two answers coming, so each has one request at a time. */
const CONNECTIONS = 100;
/** Between two looks at what is due, in ms. */
const TICK_MS = 2;

/** A load: GETs over HTTP/1.1 at a rate, as long as the proxy keeps up. */
export interface PacedLoad {
  /** Gives the host of each request. */
  readonly hosts: () => string;
  readonly count: number;
  readonly perSecond: number;
  /** No answer may take longer, in ms. */
  readonly hangMs: number;
}

/** What came of a load: how many answers had which status, and how long it took, in ms. */
export interface LoadReport {
  readonly statuses: ReadonlyMap<string, number>;
  readonly ms: number;
}

/** Sends a load by connections that are kept. Raw, as a client of HTTP is slower than Envoy. @throws {Error} when a connection is closed, or an answer missing */
export async function sendPaced(address: string, port: number, load: PacedLoad): Promise<LoadReport> {
  const { hosts, count, perSecond, hangMs } = load;
  const statuses = new Map<string, number>();
  const broken = new AbortController();
  const sockets = Array.from({ length: CONNECTIONS }, () => connect(port, address));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  const idle = [...sockets];
  for (const socket of sockets) hear(socket);
  let [sent, answered] = [0, 0];
  let lastAnswer = performance.now();
  const start = lastAnswer;
  try {
    while (answered < count) {
      broken.signal.throwIfAborted();
      const due = Math.min(count, ((performance.now() - start) * perSecond) / 1000);
      for (let socket = sent < due ? idle.pop() : undefined; socket !== undefined; ) {
        socket.write(`GET / HTTP/1.1\r\nhost: ${hosts()}\r\n\r\n`);
        sent += 1;
        socket = sent < due ? idle.pop() : undefined;
      }
      if (performance.now() - lastAnswer > hangMs) throw new Error(`${sent - answered} were not answered`);
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
    return { statuses, ms: performance.now() - start };
  } finally {
    for (const socket of sockets) socket.destroy();
  }

  /** Answers have no bodies, or one that is shorter than the packet that they come in. */
  function hear(socket: Socket): void {
    socket.on('error', (error) => broken.abort(error));
    socket.on('end', () => broken.abort(new Error('a connection was closed')));
    socket.on('data', (data: Buffer) => {
      const status = /^HTTP\/1\.1 (\d{3}) /.exec(data.toString('latin1'))?.[1] ?? 'none';
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      answered += 1;
      lastAnswer = performance.now();
      idle.push(socket);
    });
  }
}
