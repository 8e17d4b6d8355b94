import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** What goes into an `envoy.service.discovery.v3.DeltaDiscoveryResponse`. */
export interface DeltaResponse {
  readonly typeUrl: string;
  readonly nonce: string;
  /** Whole encoded `Resource` messages, shared by all streams. */
  readonly resources: readonly Uint8Array[];
  readonly removed: readonly string[];
}

const TYPE_TAG = (4 << 3) | WireType.LengthDelimited;
const NONCE_TAG = (5 << 3) | WireType.LengthDelimited;
const REMOVED_TAG = (6 << 3) | WireType.LengthDelimited;
const RESOURCES_TAG = (2 << 3) | WireType.LengthDelimited;
/** Of a `Resource`. */
const NAME_TAG = (3 << 3) | WireType.LengthDelimited;
const ALIASES_TAG = (4 << 3) | WireType.LengthDelimited;
/** gRPC's: whether the message is compressed, and its length. */
const FRAME_HEAD = 5;

/** A response around resources that are encoded already. It is put together as it is written, piece by piece: while it waits it costs no memory. */
export class ResponseMessage {
  /** In bytes, without what gRPC puts in front. */
  readonly size: number;
  private readonly head: Uint8Array;
  private readonly resources: readonly Uint8Array[];

  constructor({ typeUrl, nonce, removed, resources }: DeltaResponse) {
    let resourcesSize = 0;
    for (const { length } of resources) resourcesSize += headLength(length) + length;
    this.head = encodeHead(typeUrl, nonce, removed, resourcesSize);
    this.resources = resources;
    this.size = this.head.length - FRAME_HEAD + resourcesSize;
  }

  /** How many bytes it is with gRPC's frame. */
  get framedSize(): number {
    return FRAME_HEAD + this.size;
  }

  /** Gives what reads it from its beginning, in gRPC's frame. */
  read(): MessageReader {
    return new MessageReader(this.head, this.resources);
  }
}

/** gRPC's frame, and what of a message stands in front of its resources. Done by hand: each change has one made for each stream. */
function encodeHead(typeUrl: string, nonce: string, removed: readonly string[], resourcesSize: number): Buffer {
  let size = FRAME_HEAD + textLength(typeUrl) + textLength(nonce);
  for (const name of removed) size += textLength(name);
  const head = Buffer.allocUnsafe(size);
  head[0] = 0;
  head.writeUInt32BE(size - FRAME_HEAD + resourcesSize, 1);
  let at = writeText(head, FRAME_HEAD, TYPE_TAG, typeUrl);
  at = writeText(head, at, NONCE_TAG, nonce);
  for (const name of removed) at = writeText(head, at, REMOVED_TAG, name);
  return head;
}

/** How far a message has been read. */
export class MessageReader {
  private readonly resources: readonly Uint8Array[];
  /** What is being read, and how many bytes of it were. */
  private part: Uint8Array;
  private offset = 0;
  private nextResource = 0;

  constructor(head: Uint8Array, resources: readonly Uint8Array[]) {
    this.part = head;
    this.resources = resources;
  }

  /** Everything was read. */
  get isDone(): boolean {
    return this.offset === this.part.length && this.nextResource === this.resources.length;
  }

  /** Reads on. @param room takes the bytes, ten or more @returns how many there are now in it */
  into(room: Buffer): number {
    let at = 0;
    for (;;) {
      const count = Math.min(this.part.length - this.offset, room.length - at);
      const isWhole = count === this.part.length;
      room.set(isWhole ? this.part : this.part.subarray(this.offset, this.offset + count), at);
      at += count;
      this.offset += count;
      const resource = this.resources[this.nextResource];
      const isRead = this.offset === this.part.length;
      if (!isRead || resource === undefined || room.length - at < headLength(resource.length)) return at;
      this.nextResource++;
      this.part = resource;
      this.offset = 0;
      room[at++] = RESOURCES_TAG;
      at = writeVarint(room, at, resource.length);
    }
  }
}

/**
 * A `Resource` with name and alias but no body: the answer to an on-demand virtual host that does not exist. Envoy answers
 * the waiting request with 404 at once, where `removed_resources` would leave it waiting.
 */
export function encodeAbsentResource(name: string): Uint8Array {
  // A writer for each costs as much as all else that is done for a name, and a proxy may ask for a hundred thousand.
  const bytes = Buffer.allocUnsafe(2 * textLength(name));
  writeText(bytes, writeText(bytes, 0, NAME_TAG, name), ALIASES_TAG, name);
  return bytes;
}

/** A `Resource` with names of which nothing is left to say, as aliases: Envoy lets requests go on that wait for them. */
export function encodeAnswers(name: string, version: string, aliases: readonly string[]): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.LengthDelimited).string(version);
  writer.tag(3, WireType.LengthDelimited).string(name);
  for (const alias of aliases) writer.tag(4, WireType.LengthDelimited).string(alias);
  return writer.finish();
}

/** Bytes of the tag and the length in front of so many bytes. */
function headLength(length: number): number {
  return 1 + varintLength(length);
}

function textLength(text: string): number {
  const length = Buffer.byteLength(text);
  return headLength(length) + length;
}

function writeText(bytes: Buffer, start: number, tag: number, text: string): number {
  bytes[start] = tag;
  const at = writeVarint(bytes, start + 1, Buffer.byteLength(text));
  return at + bytes.write(text, at);
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 0x7f; rest >>>= 7) {
    length++;
  }
  return length;
}

function writeVarint(bytes: Buffer, start: number, value: number): number {
  let at = start;
  let rest = value;
  while (rest > 0x7f) {
    bytes[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}
