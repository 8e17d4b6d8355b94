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

/** Encodes a response around resources that are encoded already: their bytes are copied, never built again. */
export function encodeDeltaResponse(response: DeltaResponse): Buffer {
  const head = new BinaryWriter().tag(4, WireType.LengthDelimited).string(response.typeUrl);
  head.tag(5, WireType.LengthDelimited).string(response.nonce);
  for (const name of response.removed) {
    head.tag(6, WireType.LengthDelimited).string(name);
  }
  const rest = head.finish();
  let size = rest.length;
  for (const resource of response.resources) {
    size += 1 + varintLength(resource.length) + resource.length;
  }
  const bytes = Buffer.allocUnsafe(size);
  bytes.set(rest, 0);
  let at = rest.length;
  for (const resource of response.resources) {
    bytes[at++] = RESOURCES_TAG;
    at = writeVarint(bytes, at, resource.length);
    bytes.set(resource, at);
    at += resource.length;
  }
  return bytes;
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
