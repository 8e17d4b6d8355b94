/** A TLS record (RFC 8446, 5.1). */
export interface TlsRecord {
  readonly type: 'change_cipher_spec' | 'alert' | 'handshake' | 'application_data';
  readonly body: Buffer;
}

const TYPES = new Map<number, TlsRecord['type']>([
  [20, 'change_cipher_spec'],
  [21, 'alert'],
  [22, 'handshake'],
  [23, 'application_data'],
]);
/** With its tag and padding an encrypted record is a little longer than a plain one. */
const LONGEST = 16_384 + 256;
const SERVER_HELLO = 2;
const SUPPORTED_VERSIONS = 43;

/**
 * Cuts one direction of a connection into TLS records.
 * @throws {Error} where a byte is part of none; the last one may lack its end
 */
export function readTlsRecords(bytes: Buffer): TlsRecord[] {
  const records: TlsRecord[] = [];
  for (let at = 0; at + 5 <= bytes.length; ) {
    const type = TYPES.get(bytes.readUInt8(at));
    const length = bytes.readUInt16BE(at + 3);
    if (type === undefined || bytes.readUInt8(at + 1) !== 3 || length > LONGEST) {
      throw new Error(`byte ${at} begins no TLS record: ${JSON.stringify(bytes.toString('latin1', at, at + 40))}`);
    }
    records.push({ type, body: bytes.subarray(at + 5, at + 5 + length) });
    at += 5 + length;
  }
  return records;
}

/**
 * The version that a server chose: `0x0304` is TLS 1.3.
 * @param records of the server
 * @throws {Error} when the first of them has no ServerHello
 */
export function chosenVersion([first]: readonly TlsRecord[]): number {
  const { type, body } = first ?? {};
  if (type !== 'handshake' || body === undefined || body.readUInt8(0) !== SERVER_HELLO)
    throw new Error(`the server begins with no ServerHello, but with ${type ?? 'nothing'}`);
  // Type, length, version, random, and a session's number of a length of its own.
  const session = 4 + 2 + 32;
  // Then cipher suite and compression, and the length of the extensions.
  const extensions = session + 1 + body.readUInt8(session) + 3;
  const end = Math.min(body.length, extensions + 2 + body.readUInt16BE(extensions));
  for (let at = extensions + 2; at + 4 <= end; at += 4 + body.readUInt16BE(at + 2)) {
    if (body.readUInt16BE(at) === SUPPORTED_VERSIONS) return body.readUInt16BE(at + 4);
  }
  // Before 1.3 there was no such extension.
  return body.readUInt16BE(4);
}

/**
 * Whether all that a side said after its hello is encrypted: of TLS 1.3 only a hello and, for old middleboxes, one `change_cipher_spec` of
 * one byte are in the clear.
 */
export function isEncrypted(records: readonly TlsRecord[]): boolean {
  const rest = records.slice(1).filter(({ type, body }) => type !== 'change_cipher_spec' || body.length !== 1);
  return records[0]?.type === 'handshake' && rest.every(({ type }) => type === 'application_data');
}
