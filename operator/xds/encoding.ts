import { createHash } from 'node:crypto';
import { create, type DescMessage, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { type Any, AnySchema, type Duration, DurationSchema } from '@bufbuild/protobuf/wkt';
import type { XdsResource } from './resource.ts';

/** SHA-256, truncated to 64 bits, in hex: a version. */
export function contentHash(...parts: readonly (Uint8Array | string)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    hash.update(`${part.length}:`).update(part);
  }
  return hash.digest('hex').slice(0, 16);
}

/** Field numbers of `envoy.service.discovery.v3.Resource` and of `google.protobuf.Any`, all length-delimited. */
const RESOURCE = { version: 1, resource: 2, name: 3 };
const ANY = { typeUrl: 1, value: 2 };

/** Resources that were encoded since the start, and their bytes: for metrics, and nothing is made of it. */
export const encoded = { resources: 0, bytes: 0 };

/** Wraps an encoded message as a resource, its bytes copied once. The version is by default the hash of the message. */
export function encodeResource(
  typeUrl: string,
  name: string,
  value: Uint8Array,
  version = contentHash(value),
): XdsResource {
  const type = encodeField(ANY.typeUrl, Buffer.from(typeUrl));
  const valueHeader = fieldHeader(ANY.value, value.length);
  const bytes = join([
    encodeField(RESOURCE.version, Buffer.from(version)),
    Buffer.from(fieldHeader(RESOURCE.resource, type.length + valueHeader.length + value.length)),
    type,
    Buffer.from(valueHeader),
    value,
    encodeField(RESOURCE.name, Buffer.from(name)),
  ]);
  encoded.resources += 1;
  encoded.bytes += bytes.length;
  return { typeUrl, name, version, bytes };
}

/** Puts bytes together that are kept for long. `Buffer.concat` takes them from a slab of 64 KiB, all of which would be kept with them. */
function join(parts: readonly Uint8Array[]): Buffer {
  const joined = Buffer.allocUnsafeSlow(parts.reduce((length, part) => length + part.length, 0));
  let end = 0;
  for (const part of parts) {
    joined.set(part, end);
    end += part.length;
  }
  return joined;
}

/** A message as `google.protobuf.Any`. */
export function pack<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Any {
  return create(AnySchema, {
    typeUrl: `type.googleapis.com/${schema.typeName}`,
    value: toBinary(schema, message),
  });
}

/** A century, in ms, which is as good as for ever. Envoy refuses the whole resource for a duration of three. */
const LONGEST_MS = 3_153_600_000_000;

/** A duration of the given milliseconds, to the microsecond, and no longer than a century. */
export function milliseconds(value: number): Duration {
  const microseconds = Math.round(Math.min(value, LONGEST_MS) * 1000);
  return create(DurationSchema, {
    seconds: BigInt(Math.trunc(microseconds / 1_000_000)),
    nanos: (microseconds % 1_000_000) * 1000,
  });
}

/** Length-delimited field: tag, length, bytes. What protobuf makes of an embedded message or a string. */
export function encodeField(field: number, value: Uint8Array): Uint8Array {
  const header = fieldHeader(field, value.length);
  const encoded = new Uint8Array(header.length + value.length);
  encoded.set(header);
  encoded.set(value, header.length);
  return encoded;
}

function fieldHeader(field: number, length: number): number[] {
  return [...varint(field * 8 + 2), ...varint(length)];
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return bytes;
}
