/** A block of addresses. */
export interface AddressRange {
  readonly prefix: string;
  readonly length: number;
}

/** Shorter prefixes are no Service network any more, but addresses that have nothing to do with each other. */
const SHORTEST: Readonly<Record<number, number>> = { 4: 8, 16: 32 };

/**
 * The smallest block per address family that holds all the addresses. Cluster IPs come from one small network, so the block soon stays the same
 * while services come and go.
 *
 * @returns no block for a family whose addresses are too far apart, or that has none
 */
export function commonRanges(addresses: Iterable<string>): AddressRange[] {
  const families = new Map<number, { first: number[]; length: number }>();
  for (const address of addresses) {
    const bytes = parseAddress(address);
    if (bytes === undefined) continue;
    const family = families.get(bytes.length);
    if (family === undefined) families.set(bytes.length, { first: bytes, length: bytes.length * 8 });
    else family.length = Math.min(family.length, sharedBits(family.first, bytes));
  }
  const ranges: AddressRange[] = [];
  for (const [size, { first, length }] of [...families].sort(([a], [b]) => a - b)) {
    if (length >= (SHORTEST[size] ?? 0)) ranges.push({ prefix: formatAddress(mask(first, length)), length });
  }
  return ranges;
}

/** Reads `10.0.0.0/8`, or an address alone as a block of one; undefined for what is neither. */
export function readRange(text: string): AddressRange | undefined {
  const [prefix = '', length, ...rest] = text.split('/');
  const bits = (parseAddress(prefix)?.length ?? 0) * 8;
  if (bits === 0 || rest.length > 0) return undefined;
  if (length === undefined) return { prefix, length: bits };
  return /^[0-9]{1,3}$/.test(length) && Number(length) <= bits ? { prefix, length: Number(length) } : undefined;
}

/** Whether the address is in the block. */
export function inRange(address: string, range: AddressRange): boolean {
  const [bytes, prefix] = [parseAddress(address), parseAddress(range.prefix)];
  return bytes?.length === prefix?.length && bytes !== undefined && sharedBits(bytes, prefix ?? []) >= range.length;
}

function sharedBits(a: readonly number[], b: readonly number[]): number {
  for (const [index, byte] of a.entries()) {
    const difference = byte ^ (b[index] ?? 0);
    if (difference !== 0) return index * 8 + Math.clz32(difference) - 24;
  }
  return a.length * 8;
}

function mask(bytes: readonly number[], length: number): number[] {
  return bytes.map((byte, index) => byte & (0xff00 >> Math.min(8, Math.max(0, length - index * 8))) & 0xff);
}

/** 4 or 16 bytes; undefined for what is no address. */
function parseAddress(address: string): number[] | undefined {
  if (!address.includes(':')) {
    const bytes = address.split('.').map(Number);
    return bytes.length === 4 && bytes.every((byte) => byte >= 0 && byte <= 255) ? bytes : undefined;
  }
  const [head = '', tail] = address.split('::');
  const [left, right] = [groups(head), groups(tail ?? '')];
  const missing = 8 - left.length - right.length;
  if (missing < 0 || (tail === undefined && missing !== 0)) return undefined;
  const all = [...left, ...new Array<number>(missing).fill(0), ...right];
  if (!all.every((group) => group >= 0 && group <= 0xffff)) return undefined;
  return all.flatMap((group) => [group >> 8, group & 0xff]);
}

function groups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

function formatAddress(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join('.');
  const text: string[] = [];
  for (let index = 0; index < bytes.length; index += 2) {
    text.push((((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0)).toString(16));
  }
  return text.join(':');
}
