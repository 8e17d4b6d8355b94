import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** What goes into an `envoy.service.discovery.v3.DeltaDiscoveryResponse`. */
export interface DeltaResponse {
  readonly typeUrl: string;
  readonly nonce: string;
  /** Whole encoded `Resource` messages, shared by all streams. */
  readonly resources: readonly Uint8Array[];
  readonly removed: readonly string[];
}

const RESOURCES_TAG = (2 << 3) | WireType.LengthDelimited;

/** Longest message for which memory is kept, in bytes. */
const MAX_SCRATCH = 1 << 20;

let scratch = Buffer.alloc(0);

/** A response around resources that are encoded already. It is put together when gRPC takes it, which copies it: while it waits it costs no memory. */
export class ResponseMessage {
  /** In bytes. */
  readonly size: number;
  private readonly head: Uint8Array;
  private readonly resources: readonly Uint8Array[];

  constructor({ typeUrl, nonce, removed, resources }: DeltaResponse) {
    const head = new BinaryWriter().tag(4, WireType.LengthDelimited).string(typeUrl);
    head.tag(5, WireType.LengthDelimited).string(nonce);
    for (const name of removed) head.tag(6, WireType.LengthDelimited).string(name);
    this.head = head.finish();
    this.resources = resources;
    let size = this.head.length;
    for (const resource of resources) size += 1 + varintLength(resource.length) + resource.length;
    this.size = size;
  }

  /** Its bytes. They are good until the next message is asked for its own. */
  bytes(): Buffer {
    const { size, head, resources } = this;
    if (scratch.length < size && size <= MAX_SCRATCH) scratch = Buffer.allocUnsafeSlow(MAX_SCRATCH);
    const bytes = size <= MAX_SCRATCH ? scratch.subarray(0, size) : Buffer.allocUnsafeSlow(size);
    bytes.set(head, 0);
    let at = head.length;
    for (const resource of resources) {
      bytes[at++] = RESOURCES_TAG;
      at = writeVarint(bytes, at, resource.length);
      bytes.set(resource, at);
      at += resource.length;
    }
    return bytes;
  }
}

/**
 * A `Resource` with name and alias but no body: the answer to an on-demand virtual host that does not exist. Envoy answers
 * the waiting request with 404 at once, where `removed_resources` would leave it waiting.
 */
export function encodeAbsentResource(name: string): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(3, WireType.LengthDelimited).string(name);
  writer.tag(4, WireType.LengthDelimited).string(name);
  return writer.finish();
}

/** A `Resource` with names of which nothing is left to say, as aliases: Envoy lets requests go on that wait for them. */
export function encodeAnswers(name: string, version: string, aliases: readonly string[]): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.LengthDelimited).string(version);
  writer.tag(3, WireType.LengthDelimited).string(name);
  for (const alias of aliases) writer.tag(4, WireType.LengthDelimited).string(alias);
  return writer.finish();
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
