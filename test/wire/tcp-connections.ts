import { isWhole, joinSegments, type Segment } from './tcp-segments.ts';

/** What was seen of one TCP connection. */
export interface TcpConnection {
  /** `IP:PORT` of who began it; an IPv6 address stands in brackets, in eight groups. */
  readonly client: string;
  readonly server: string;
  /** Bytes of the client, in their order, up to the first that was not captured. */
  readonly sent: Buffer;
  /** Bytes of the server, likewise. */
  readonly answered: Buffer;
  /** It was captured from its first packet on, and nothing that one side acknowledged is missing. */
  readonly whole: boolean;
}

interface TcpPacket extends Segment {
  readonly from: string;
  readonly to: string;
  readonly syn: boolean;
  /** What `from` has got so far, as the sequence number after it; undefined in the first packet. */
  readonly acknowledged: number | undefined;
}

interface Side {
  first: number | undefined;
  readonly segments: Segment[];
  /** The furthest that the other side has got. */
  readonly acknowledged: number[];
}

const TCP = 6;
const IPV6_HEADER = 40;
const [SYN, ACK] = [0x02, 0x10];

/**
 * Puts TCP connections together from packets of IPv4 and IPv6. A packet may be there several times, as it is where it passes several interfaces, and
 * in any order.
 * @param packets each from its IP header on
 * @returns connections of which the first packet was seen, in the order of that
 */
export function readConnections(packets: Iterable<Buffer>): TcpConnection[] {
  const sides = new Map<string, Side>();
  const sideOf = (from: string, to: string): Side => {
    const key = `${from} ${to}`;
    const side = sides.get(key) ?? { first: undefined, segments: [], acknowledged: [] };
    sides.set(key, side);
    return side;
  };
  const begun: (readonly [client: string, server: string])[] = [];
  for (const packet of packets) {
    const read = readTcp(packet);
    if (read === undefined) continue;
    const { from, to, syn, sequence, bytes, acknowledged } = read;
    const side = sideOf(from, to);
    if (syn && acknowledged === undefined && side.first === undefined) begun.push([from, to]);
    // The first packet takes a number of its own.
    if (syn) side.first = (sequence + 1) >>> 0;
    if (bytes.length > 0) side.segments.push({ sequence, bytes });
    if (acknowledged !== undefined) sideOf(to, from).acknowledged.push(acknowledged);
  }
  return begun.map(([client, server]) => {
    const [ours, theirs] = [sideOf(client, server), sideOf(server, client)];
    const [sent, answered] = [ours, theirs].map(({ first = 0, segments }) => joinSegments(first, segments));
    if (sent === undefined || answered === undefined) throw new Error('two sides give two texts');
    const whole = [ours, theirs].every(({ first, acknowledged }, i) =>
      isWhole(first, i === 0 ? sent : answered, acknowledged),
    );
    return { client, server, sent, answered, whole };
  });
}

/** The parts of a packet that matter here. */
interface IpPacket {
  readonly source: string;
  readonly destination: string;
  /** What it carries, as long as its header says. */
  readonly tcp: Buffer;
}

/** @returns undefined for what is no TCP over IP, or a later fragment */
function readTcp(packet: Buffer): TcpPacket | undefined {
  const version = packet.length < 40 ? 0 : packet.readUInt8(0) >> 4;
  const ip = version === 4 ? readIpv4(packet) : version === 6 ? readIpv6(packet) : undefined;
  if (ip === undefined) return undefined;
  const { source, destination, tcp } = ip;
  const flags = tcp.readUInt8(13);
  return {
    from: `${source}:${tcp.readUInt16BE(0)}`,
    to: `${destination}:${tcp.readUInt16BE(2)}`,
    sequence: tcp.readUInt32BE(4),
    acknowledged: (flags & ACK) === 0 ? undefined : tcp.readUInt32BE(8),
    syn: (flags & SYN) !== 0,
    bytes: tcp.subarray((tcp.readUInt8(12) >> 4) * 4),
  };
}

function readIpv4(packet: Buffer): IpPacket | undefined {
  if (packet.readUInt8(9) !== TCP || (packet.readUInt16BE(6) & 0x1fff) !== 0) return undefined;
  const start = (packet.readUInt8(0) & 0x0f) * 4;
  // Zero for what a virtual interface has not cut into segments yet, where it is longer than the field can say.
  const total = packet.readUInt16BE(2) || packet.length;
  const addressAt = (at: number): string => [...packet.subarray(at, at + 4)].join('.');
  return { source: addressAt(12), destination: addressAt(16), tcp: packet.subarray(start, total) };
}

/** Without headers between those of IP and TCP: pods send none. */
function readIpv6(packet: Buffer): IpPacket | undefined {
  if (packet.readUInt8(6) !== TCP) return undefined;
  const length = packet.readUInt16BE(4) || packet.length - IPV6_HEADER;
  const addressAt = (at: number): string => {
    const groups = Array.from({ length: 8 }, (_, group) => packet.readUInt16BE(at + 2 * group).toString(16));
    return `[${groups.join(':')}]`;
  };
  const tcp = packet.subarray(IPV6_HEADER, IPV6_HEADER + length);
  return { source: addressAt(8), destination: addressAt(24), tcp };
}
