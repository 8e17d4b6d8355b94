import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';

/** The records of the server: a name's IPv4 address; `silent` gets no answer, and what is not there does not exist. */
export type Records = Readonly<Record<string, string>>;

/** A DNS server of the test on loopback. */
export interface DnsServer {
  readonly port: number;
  /** Questions it got, as `NAME TYPE`. */
  readonly asked: string[];
  stop(): Promise<void>;
}

const NO_SUCH_NAME = 3;
const HEADER = 12;
const TTL_SECONDS = 7;

export async function startDnsServer(records: Records): Promise<DnsServer> {
  const known = new Map(Object.entries(records));
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (message: Buffer, from: RemoteInfo) => {
    const { name, end } = readName(message);
    const type = message.readUInt16BE(end);
    asked.push(`${name} ${type}`);
    const address = known.get(name);
    if (address !== 'silent')
      socket.send(answer(message, end + 4, type === 1 ? address : undefined), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    port: socket.address().port,
    asked,
    async stop() {
      socket.close();
      await once(socket, 'close');
    },
  };
}

function readName(message: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = HEADER;
  for (let length = message.readUInt8(at); length > 0; length = message.readUInt8(at)) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 };
}

function answer(question: Buffer, end: number, address: string | undefined): Buffer {
  const header = Buffer.alloc(HEADER);
  question.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8180 | (address === undefined ? NO_SUCH_NAME : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(address === undefined ? 0 : 1, 6);
  const parts = [header, question.subarray(HEADER, end)];
  if (address !== undefined) {
    // The name is that of the question; type A, class IN, time to live, length.
    parts.push(Buffer.from([0xc0, HEADER, 0, 1, 0, 1, 0, 0, 0, TTL_SECONDS, 0, 4, ...address.split('.').map(Number)]));
  }
  return Buffer.concat(parts);
}
