import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';

/** Bounds of what is read from a Secret, which anybody with access to the namespace may have written. */
const MAX_PEM_CHARS = 128 * 1024;
const BOUNDS = { chars: MAX_PEM_CHARS, certificates: 32 };

/**
 * Reads all certificates of a PEM text.
 * @param field names the text in errors, for example `Secret cacerts: root-cert.pem`
 * @param bounds how long the text may be and how many certificates it may hold
 * @throws {Error} when there is none, too many, or one that is no certificate
 */
export function parseCertificates(pem: string, field: string, bounds = BOUNDS): X509Certificate[] {
  if (pem.length > bounds.chars) throw new Error(`${field} is over ${bounds.chars} characters`);
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new Error(`${field} holds no certificate`);
  if (blocks.length > bounds.certificates) {
    throw new Error(`${field} holds more than ${bounds.certificates} certificates`);
  }
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw new Error(`${field}: certificate ${index + 1} is malformed`);
    }
  });
}

/**
 * Reads a private key; the error never repeats its text.
 * @throws {Error} when it is none, or encrypted
 */
export function parsePrivateKey(pem: string, field: string): KeyObject {
  if (pem.length > MAX_PEM_CHARS) throw new Error(`${field} is over ${MAX_PEM_CHARS} characters`);
  try {
    return createPrivateKey(pem);
  } catch {
    throw new Error(`${field} holds no unencrypted private key in PEM`);
  }
}

/** Certificates as one PEM text, each once, in the order given. */
export function joinCertificates(certificates: readonly X509Certificate[]): string {
  return [...new Set(certificates.map((certificate) => certificate.toString().trim()))]
    .map((pem) => `${pem}\n`)
    .join('');
}

/** First 16 hex digits of SHA-256 over a certificate. */
export function shortFingerprint(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '').slice(0, 16).toLowerCase();
}

/** Each certificate once, in the order of their first appearance. */
export function distinctCertificates(certificates: readonly X509Certificate[]): X509Certificate[] {
  return [...new Map(certificates.map((certificate) => [certificate.fingerprint256, certificate])).values()];
}
