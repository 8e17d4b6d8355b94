/** As many of some bytes as fit into a length. */
export function repeated(unit: Uint8Array | string, length: number): Buffer {
  const piece = Buffer.from(unit as string);
  return Buffer.alloc(length - (length % piece.length), piece);
}

/** Most bytes of a gRPC message (`ADS_SETTINGS.maxMessageBytes`), less some for what is around. */
export const MESSAGE_BYTES = (4 << 20) - 64;

/** The longest messages of many short parts. @param fields such parts, in hex */
export function* ofShortParts(fields: readonly string[]): Generator<Buffer> {
  for (const hex of fields) yield repeated(Buffer.from(hex, 'hex'), MESSAGE_BYTES);
}
