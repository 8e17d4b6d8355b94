/** Some bytes of one direction of a TCP connection. */
export interface Segment {
  /** Number of its first byte, which goes round after 32 bits. */
  readonly sequence: number;
  readonly bytes: Buffer;
}

/** Puts segments in order; what came twice counts once. @returns the bytes from the first on, up to the first gap */
export function joinSegments(first: number, segments: readonly Segment[]): Buffer {
  const placed = segments
    .map(({ sequence, bytes }) => ({ at: distance(first, sequence), bytes }))
    .filter(({ at, bytes }) => at + bytes.length > 0)
    .sort((a, b) => a.at - b.at || b.bytes.length - a.bytes.length);
  const parts: Buffer[] = [];
  let length = 0;
  for (const { at, bytes } of placed) {
    if (at > length) break;
    const fresh = bytes.subarray(length - at);
    parts.push(fresh);
    length += fresh.length;
  }
  return Buffer.concat(parts);
}

/** Whether all is there that the other side says it got. The end of a direction takes a number of its own. */
export function isWhole(first: number | undefined, bytes: Buffer, acknowledged: readonly number[]): boolean {
  return first !== undefined && acknowledged.every((next) => distance(first, next) <= bytes.length + 1);
}

/** How far one number is behind another, in bytes; negative where it is before. */
function distance(from: number, to: number): number {
  return (to - from) | 0;
}
