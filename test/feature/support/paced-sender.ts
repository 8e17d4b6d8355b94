import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { LoadReport, PacedLoad } from './paced-load.ts';

/** The program that sends a paced load, by connections that are kept. Raw, as a client of HTTP is slower than Envoy. */

/** Envoy closes a connection that has more than two answers coming, so each has one request at a time. */
const CONNECTIONS = 100;
/** Between two looks at what is due, in ms. */
const TICK_MS = 2;

interface Plan extends PacedLoad {
  readonly address: string;
  readonly port: number;
}

async function send({ address, port, domain, count, perSecond, hangMs }: Plan): Promise<LoadReport> {
  const statuses = new Map<string, number>();
  const broken = new AbortController();
  const sockets = Array.from({ length: CONNECTIONS }, () => connect(port, address));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  const idle = [...sockets];
  for (const socket of sockets) hear(socket);
  let [sent, answered] = [0, 0];
  let lastAnswer = performance.now();
  const start = lastAnswer;
  while (answered < count) {
    broken.signal.throwIfAborted();
    const due = Math.min(count, ((performance.now() - start) * perSecond) / 1000);
    for (let socket = sent < due ? idle.pop() : undefined; socket !== undefined; ) {
      socket.write(`GET / HTTP/1.1\r\nhost: unknown-${sent}.${domain}\r\n\r\n`, 'latin1');
      sent += 1;
      socket = sent < due ? idle.pop() : undefined;
    }
    if (performance.now() - lastAnswer > hangMs) throw new Error(`${sent - answered} were not answered`);
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  const { user, system } = process.cpuUsage();
  return { statuses: [...statuses], ms: performance.now() - start, cpuMs: (user + system) / 1000 };

  /** Answers have no bodies, or one that is shorter than the packet that they come in. */
  function hear(socket: Socket): void {
    socket.on('error', (error) => broken.abort(error));
    socket.on('end', () => broken.abort(new Error('a connection was closed')));
    socket.on('data', (data: Buffer) => {
      const status = /^HTTP\/1\.1 (\d{3}) /.exec(data.toString('latin1', 0, 13))?.[1] ?? 'none';
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      answered += 1;
      lastAnswer = performance.now();
      idle.push(socket);
    });
  }
}

const report = await send(JSON.parse(process.argv[2] ?? '') as Plan);
process.send?.(report, () => process.exit());
