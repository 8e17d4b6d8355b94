import { type KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import {
  type Asn1,
  bits,
  children,
  fromDer,
  integer,
  isTagged,
  nothing,
  oid,
  sequence,
  set,
  tagged,
  time,
  toDer,
  utf8,
} from './der.ts';
import {
  authorityExtensions,
  endExtensions,
  extensionsField,
  findKeyIdentifier,
  keyIdentifier,
  type SubjectAlternativeName,
} from './extensions.ts';
import { signatureAlgorithm, signBytes } from './key-pair.ts';

/** A certificate that may sign, with its key. */
export interface Issuer {
  readonly certificate: X509Certificate;
  readonly privateKey: KeyObject;
}

export interface Validity {
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface AuthorityRequest extends Validity {
  readonly commonName: string;
  readonly publicKey: KeyObject;
  readonly pathLength?: number;
}

export interface EndRequest extends Validity {
  readonly publicKey: KeyObject;
  readonly names: readonly SubjectAlternativeName[];
  readonly usage: readonly ('serverAuth' | 'clientAuth')[];
  /** What the subject says, at most 1,024 characters (X.520); absent: the subject is empty. */
  readonly description?: string;
}

const COMMON_NAME = '2.5.4.3';
const ORGANIZATION = '2.5.4.10';
const DESCRIPTION = '2.5.4.13';

/** Makes a self-signed root. */
export function makeRoot(request: AuthorityRequest, privateKey: KeyObject): Promise<X509Certificate> {
  const subject = distinguishedName(request.commonName);
  const extensions = authorityExtensions(keyIdentifier(request.publicKey), undefined, request.pathLength);
  return assemble(request, subject, subject, extensions, privateKey);
}

/** Makes an intermediate under a root; it never outlives its issuer. */
export function makeIntermediate(request: AuthorityRequest, issuer: Issuer): Promise<X509Certificate> {
  const parent = issuerFields(issuer.certificate);
  const own = keyIdentifier(request.publicKey);
  const extensions = authorityExtensions(own, parent.keyIdentifier, request.pathLength);
  return assemble(
    capped(request, issuer),
    parent.subject,
    distinguishedName(request.commonName),
    extensions,
    issuer.privateKey,
  );
}

/**
 * Makes an end certificate; it never outlives its issuer. What its subject says is a description: a common name would be held against the names
 * that a user's CA is constrained to.
 */
export function makeEndCertificate(request: EndRequest, issuer: Issuer): Promise<X509Certificate> {
  const parent = issuerFields(issuer.certificate);
  const { names, usage, description } = request;
  const subject = description === undefined ? sequence() : sequence(attribute(DESCRIPTION, description));
  const extensions = endExtensions(parent.keyIdentifier, names, usage, description === undefined);
  return assemble(capped(request, issuer), parent.subject, subject, extensions, issuer.privateKey);
}

function capped<T extends Validity>(request: T, issuer: Issuer): T {
  return { ...request, notAfter: Math.min(request.notAfter, issuer.certificate.validToDate.getTime()) };
}

const attribute = (type: string, value: string): Asn1 => set(sequence(oid(type), utf8(value)));

function distinguishedName(commonName: string): Asn1 {
  return sequence(attribute(ORGANIZATION, 'heddle.dev'), attribute(COMMON_NAME, commonName));
}

interface IssuerFields {
  /** Byte for byte as in the issuer: chains are built by comparing names. */
  readonly subject: Asn1;
  readonly keyIdentifier: Buffer;
}

function issuerFields(issuer: X509Certificate): IssuerFields {
  const fields = children(children(fromDer(issuer.raw))[0]);
  // version [0], serial, signature, issuer, validity, subject, subjectPublicKeyInfo, …, extensions [3]
  const subject = fields[5];
  if (!subject) throw new Error('the issuing certificate has no subject');
  const wrapped = fields.find((field) => isTagged(field, 3));
  const extensions = wrapped ? children(children(wrapped)[0]) : [];
  const identifier = findKeyIdentifier(extensions, (der) => fromDer(Buffer.from(der, 'latin1')));
  return { subject, keyIdentifier: identifier ?? keyIdentifier(issuer.publicKey) };
}

async function assemble(
  request: Validity & { readonly publicKey: KeyObject },
  issuer: Asn1,
  subject: Asn1,
  extensions: readonly Asn1[],
  signingKey: KeyObject,
): Promise<X509Certificate> {
  const algorithm = signatureAlgorithm(signingKey);
  const identifier = () => sequence(oid(algorithm.oid), ...(algorithm.hasNullParameter ? [nothing()] : []));
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40; // Positive, and of constant length.
  const toBeSigned = sequence(
    tagged(0, integer(Uint8Array.of(2))),
    integer(serial),
    identifier(),
    issuer,
    sequence(time(request.notBefore), time(request.notAfter)),
    subject,
    fromDer(request.publicKey.export({ type: 'spki', format: 'der' })),
    extensionsField(extensions),
  );
  const signature = await signBytes(algorithm, toDer(toBeSigned), signingKey);
  return new X509Certificate(toDer(sequence(toBeSigned, identifier(), bits(signature))));
}
