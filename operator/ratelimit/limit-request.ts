import { BoundedReader } from '../ads/bounded-reader.ts';
import type { DescriptorEntry } from './limit-lookup.ts';

/** What is read of an `envoy.service.ratelimit.v3.RateLimitRequest`. */
export interface LimitRequest {
  readonly domain: string;
  readonly descriptors: readonly Descriptor[];
  /** What a descriptor counts for that does not say so itself. */
  readonly hits: number;
}

interface Descriptor {
  readonly entries: readonly DescriptorEntry[];
  readonly hits: number | undefined;
}

/** Most descriptors, entries and texts of a question. Envoy sends a descriptor for each limit of one policy, which are few. */
const MAX_PARTS = 10_000;
/** Most that a question counts for: as much as any limit is. Redis keeps 63 bits and refuses to add what would be more, whoever asks then. */
const MAX_HITS = 1_000_000_000;

/** @throws {Error} from the reader when the bytes are no such message, or ask too much at once */
export function decodeLimitRequest(bytes: Uint8Array): LimitRequest {
  const reader = new BoundedReader(bytes, MAX_PARTS);
  const descriptors: Descriptor[] = [];
  let [domain, hits] = ['', 0];
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) domain = reader.string();
    else if (field === 2) descriptors.push(decodeDescriptor(reader.nested()));
    else if (field === 3) hits = Math.min(reader.uint32(), MAX_HITS);
    else reader.skip(wireType, field);
  }
  return { domain, descriptors, hits: hits || 1 };
}

function decodeDescriptor(reader: BoundedReader): Descriptor {
  const entries: DescriptorEntry[] = [];
  let hits: number | undefined;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) entries.push(decodeEntry(reader.nested()));
    else if (field === 3) hits = Math.min(decodeNumber(reader.nested()), MAX_HITS);
    else reader.skip(wireType, field);
  }
  return { entries, hits };
}

function decodeEntry(reader: BoundedReader): DescriptorEntry {
  let [key, value] = ['', ''];
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) key = reader.string();
    else if (field === 2) value = reader.string();
    else reader.skip(wireType, field);
  }
  return { key, value };
}

/** A `google.protobuf.UInt64Value`. */
function decodeNumber(reader: BoundedReader): number {
  let value = 0;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) value = Number(reader.uint64());
    else reader.skip(wireType, field);
  }
  return value;
}
