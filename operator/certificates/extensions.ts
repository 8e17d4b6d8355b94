import { createHash, type KeyObject } from 'node:crypto';
import { type Asn1, bits, integer, octets, oid, sequence, tagged, taggedBytes, toDer, truth } from './der.ts';

/** A subject alternative name: of a workload (URI) or of a server (DNS). */
export type SubjectAlternativeName = { readonly uri: string } | { readonly dns: string };

const OID = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

function extension(id: string, critical: boolean, value: Asn1): Asn1 {
  return sequence(oid(id), ...(critical ? [truth()] : []), octets(toDer(value)));
}

/** SHA-1 of the public key (RFC 5280 §4.2.1.2 leaves the method open); an identifier, no security rests on it. */
export function keyIdentifier(publicKey: KeyObject): Buffer {
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha1').update(spki).digest();
}

/** What a CA certificate carries; `pathLength` 0 means that it signs end certificates only. */
export function authorityExtensions(subject: Buffer, issuer: Buffer | undefined, pathLength?: number): Asn1[] {
  const constraint = pathLength === undefined ? [truth()] : [truth(), integer(Uint8Array.of(pathLength))];
  return [
    extension(OID.basicConstraints, true, sequence(...constraint)),
    // keyCertSign (bit 5) and cRLSign (bit 6).
    extension(OID.keyUsage, true, bits(Uint8Array.of(0b0000_0110), 1)),
    extension(OID.subjectKeyIdentifier, false, octets(subject)),
    ...(issuer ? [authorityKeyIdentifier(issuer)] : []),
  ];
}

/**
 * What an end certificate carries. The names are critical where the subject is empty (RFC 5280 §4.2.1.6).
 * keyUsage is digitalSignature alone: Envoy's SPIFFE validator asks for it, and EC keys need no more.
 */
export function endExtensions(
  issuer: Buffer,
  names: readonly SubjectAlternativeName[],
  usage: readonly ('serverAuth' | 'clientAuth')[],
  subjectIsEmpty: boolean,
): Asn1[] {
  const general = names.map((name) =>
    'uri' in name ? taggedBytes(6, Buffer.from(name.uri, 'ascii')) : taggedBytes(2, Buffer.from(name.dns, 'ascii')),
  );
  return [
    extension(OID.keyUsage, true, bits(Uint8Array.of(0b1000_0000), 7)),
    extension(OID.extKeyUsage, false, sequence(...usage.map((use) => oid(OID[use])))),
    extension(OID.basicConstraints, true, sequence()),
    authorityKeyIdentifier(issuer),
    extension(OID.subjectAltName, subjectIsEmpty, sequence(...general)),
  ];
}

function authorityKeyIdentifier(issuer: Buffer): Asn1 {
  return extension(OID.authorityKeyIdentifier, false, sequence(taggedBytes(0, issuer)));
}

/** The subject key identifier in a parsed extension list, or undefined. */
export function findKeyIdentifier(extensions: readonly Asn1[], read: (der: string) => Asn1): Buffer | undefined {
  const wanted = toDer(oid(OID.subjectKeyIdentifier));
  for (const entry of extensions) {
    if (!Array.isArray(entry.value)) continue;
    const [id] = entry.value;
    const value = entry.value.at(-1)?.value;
    if (!id || typeof value !== 'string' || !toDer(id).equals(wanted)) continue;
    const inner = read(value).value;
    if (typeof inner === 'string') return Buffer.from(inner, 'latin1');
  }
  return undefined;
}

/** The `[3]` of a TBSCertificate. */
export const extensionsField = (extensions: readonly Asn1[]): Asn1 => tagged(3, sequence(...extensions));
