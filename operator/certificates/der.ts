import forge from 'node-forge';

const { asn1 } = forge;
const { Class, Type } = asn1;

/** A node of an ASN.1 tree; node-forge keeps bytes as binary strings. */
export type Asn1 = forge.asn1.Asn1;

const bytes = (buffer: Uint8Array): string => Buffer.from(buffer).toString('latin1');
const leaf = (type: forge.asn1.Type, value: string): Asn1 => asn1.create(Class.UNIVERSAL, type, false, value);

/** Encodes a tree as DER. */
export const toDer = (node: Asn1): Buffer => Buffer.from(asn1.toDer(node).getBytes(), 'latin1');

/**
 * Parses DER.
 * @throws {Error} when the bytes are no DER
 */
export const fromDer = (der: Uint8Array): Asn1 => asn1.fromDer(bytes(der));

export const sequence = (...values: Asn1[]): Asn1 => asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, values);
export const set = (...values: Asn1[]): Asn1 => asn1.create(Class.UNIVERSAL, Type.SET, true, values);
export const oid = (dotted: string): Asn1 => leaf(Type.OID, asn1.oidToDer(dotted).getBytes());
export const utf8 = (text: string): Asn1 => leaf(Type.UTF8, bytes(Buffer.from(text, 'utf8')));
export const nothing = (): Asn1 => leaf(Type.NULL, '');
export const truth = (): Asn1 => leaf(Type.BOOLEAN, '\xff');
export const octets = (value: Uint8Array): Asn1 => leaf(Type.OCTETSTRING, bytes(value));

/** A non-negative integer from its big-endian bytes; a leading zero is added where the sign bit would be set. */
export function integer(value: Uint8Array): Asn1 {
  const text = bytes(value).replace(/^\0+(?=[\s\S])/, '');
  return leaf(Type.INTEGER, text.charCodeAt(0) > 127 ? `\0${text}` : text);
}

/** A bit string with `unused` low bits of the last byte that do not count. */
export const bits = (value: Uint8Array, unused = 0): Asn1 =>
  leaf(Type.BITSTRING, String.fromCharCode(unused) + bytes(value));

/** `[tag]` around values (EXPLICIT, or IMPLICIT SEQUENCE). */
export const tagged = (tag: number, ...values: Asn1[]): Asn1 =>
  asn1.create(Class.CONTEXT_SPECIFIC, tag as forge.asn1.Type, true, values);

/** `[tag] IMPLICIT` primitive. */
export const taggedBytes = (tag: number, value: Uint8Array): Asn1 =>
  asn1.create(Class.CONTEXT_SPECIFIC, tag as forge.asn1.Type, false, bytes(value));

/** X.509 Time: UTCTime until 2049, GeneralizedTime from 2050 on (RFC 5280 §4.1.2.5). Milliseconds are cut off. */
export function time(epochMs: number): Asn1 {
  const date = new Date(epochMs);
  return date.getUTCFullYear() < 2050
    ? leaf(Type.UTCTIME, asn1.dateToUtcTime(date))
    : leaf(Type.GENERALIZEDTIME, asn1.dateToGeneralizedTime(date));
}

/** The children of a constructed node. */
export function children(node: Asn1 | undefined): Asn1[] {
  if (!node || !Array.isArray(node.value)) throw new Error('not a constructed ASN.1 value');
  return node.value;
}

/** Whether a node is `[tag]`. */
export const isTagged = (node: Asn1 | undefined, tag: number): boolean =>
  node !== undefined && node.tagClass === Class.CONTEXT_SPECIFIC && (node.type as number) === tag;
