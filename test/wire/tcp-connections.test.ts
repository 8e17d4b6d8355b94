import { describe, expect, test } from '@jest/globals';
import { readConnections } from './tcp-connections.ts';

const [CLIENT, SERVER] = ['10.0.0.1:4000', '10.0.0.2:80'] as const;

/** What `capture ::1` printed of a connection from port 34490 of Node.js, which said "ping" to a server on 8089, and of its answer. */
const IPV6_PACKETS = [
  'YAgg7wAoBkAAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAYa6H5l0kVqaAAAAAKAC/8QAMAAAAgT/xAQCCAp+IVrMAAAAAAEDAwo=',
  'YAKRmAAoBkAAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAR+ZhrpmTi1ydJFam6AS/7gAMAAAAgT/xAQCCArHLyfKfiFazAEDAwo=',
  'YAgg7wAgBkAAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAYa6H5l0kVqbZk4tc4AQAEAAKAAAAQEICn4hWszHLyfK',
  'YAgg7wAkBkAAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAYa6H5l0kVqbZk4tc4AYAEAALAAAAQEICn4hWtHHLyfKcGluZw==',
  'YAKRmAAgBkAAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAR+ZhrpmTi1zdJFan4AQAEAAKAAAAQEICscvJ89+IVrR',
  'YAKRmAAkBkAAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAR+ZhrpmTi1zdJFan4AYAEAALAAAAQEICscvJ9B+IVrRcG9uZw==',
  'YAgg7wAgBkAAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAYa6H5l0kVqfZk4td4AQAEAAKAAAAQEICn4hWtLHLyfQ',
];

interface Packet {
  readonly from?: string;
  readonly to?: string;
  readonly flags?: number;
  readonly sequence?: number;
  readonly acknowledged?: number;
  readonly text?: string;
}

function packet({ from = CLIENT, to = SERVER, flags = 0x10, sequence = 0, acknowledged = 0, text = '' }: Packet) {
  const header = Buffer.alloc(40);
  const put = (host: string, address: number, port: number): void => {
    const [ip = '', number] = host.split(':');
    Buffer.from(ip.split('.').map(Number)).copy(header, address);
    header.writeUInt16BE(Number(number), port);
  };
  header.writeUInt8(0x45, 0);
  header.writeUInt16BE(40 + text.length, 2);
  header.writeUInt8(6, 9);
  put(from, 12, 20);
  put(to, 16, 22);
  header.writeUInt32BE(sequence >>> 0, 24);
  header.writeUInt32BE(acknowledged >>> 0, 28);
  header.writeUInt8(0x50, 32);
  header.writeUInt8(flags, 33);
  // Short frames are filled up by some interfaces.
  return Buffer.concat([header, Buffer.from(text), Buffer.alloc(6)]);
}

const begin = (client: number, server: number): Buffer[] => [
  packet({ flags: 0x02, sequence: client }),
  packet({ from: SERVER, to: CLIENT, flags: 0x12, sequence: server, acknowledged: client + 1 }),
];
const say = (sequence: number, text: string, acknowledged = 0): Buffer => packet({ sequence, text, acknowledged });
const answer = (sequence: number, text: string, acknowledged: number): Buffer =>
  packet({ from: SERVER, to: CLIENT, sequence, text, acknowledged });
const read = (packets: readonly Buffer[]) =>
  readConnections(packets).map(({ sent, answered, ...rest }) => ({
    ...rest,
    sent: `${sent}`,
    answered: `${answered}`,
  }));

describe('a TCP connection', () => {
  test('is put together of packets that come twice, overlap, and are out of order', () => {
    const packets = [
      ...begin(100, 500),
      say(106, 'world', 501),
      say(101, 'hello', 501),
      say(101, 'hello', 501),
      say(103, 'llowor', 501),
      answer(501, 'yes', 112),
    ];
    expect(read(packets)).toEqual([
      { client: CLIENT, server: SERVER, sent: 'helloworld', answered: 'yes', whole: true },
    ]);
  });

  test('goes on where the numbers go round', () => {
    const first = 0xffff_fffd;
    expect(read([...begin(first, 1), say(first + 1, 'abcd', 2), answer(2, 'e', first + 5)])).toMatchObject([
      { sent: 'abcd', answered: 'e', whole: true },
    ]);
  });

  test('is not whole when something is missing that was received', () => {
    const packets = [...begin(100, 500), say(101, 'hello', 501), answer(501, 'yes', 120)];
    expect(read(packets)).toMatchObject([{ sent: 'hello', whole: false }]);
    expect(
      read([...begin(100, 500), say(101, 'hello', 501), say(110, 'late', 501), answer(501, '', 114)]),
    ).toMatchObject([{ sent: 'hello', whole: false }]);
  });

  test('is read from packets of IPv6, too', () => {
    const packets = IPV6_PACKETS.map((line) => Buffer.from(line, 'base64'));
    const [client, server] = ['[0:0:0:0:0:0:0:1]:34490', '[0:0:0:0:0:0:0:1]:8089'];
    expect(read(packets)).toEqual([{ client, server, sent: 'ping', answered: 'pong', whole: true }]);
  });

  test('that was there before is not told of, nor is what is no TCP', () => {
    const datagram = packet({ text: 'x' });
    datagram.writeUInt8(17, 9);
    expect(read([say(5, 'on and on'), datagram, Buffer.from([0x60]), Buffer.alloc(0)])).toEqual([]);
  });
});
