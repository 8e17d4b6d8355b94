import { X509Certificate } from 'node:crypto';

/** A certificate as people ask after it; nothing of a key. */
export interface ShownCertificate {
  /** What it is for, in capitals as the operator has it: `ROOT`, `SIGNER`, `INTERMEDIATE`, `WEBHOOK`, `XDS`, `PROXY`. */
  readonly name: string;
  /** Whose it is: `C=..., CN=...`, or the SPIFFE ID of a proxy. */
  readonly subject: string;
  /** ISO 8601; absent where not known. */
  readonly notBefore?: string;
  readonly notAfter?: string;
  /** Hexadecimal; absent where not known. */
  readonly serial?: string;
  /** Where it was read: `Secret heddle-system/heddle-ca`, `the operator`. */
  readonly source: string;
}

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * The certificates in a text of PEM; all else in it, keys above all, is left out.
 * @throws {Error} when a block is no certificate
 */
export function certificatesIn(pem: string): X509Certificate[] {
  return (pem.match(BLOCK) ?? []).map((block) => new X509Certificate(block));
}

/** A certificate for a table. */
export function shown(certificate: X509Certificate, name: string, source: string): ShownCertificate {
  const { subject, subjectAltName, validFromDate, validToDate, serialNumber } = certificate;
  return {
    name,
    subject: subject?.replaceAll('\n', ', ') || (subjectAltName ?? ''),
    notBefore: validFromDate.toISOString(),
    notAfter: validToDate.toISOString(),
    serial: serialNumber.toLowerCase(),
    source,
  };
}

/** How much of its life a certificate has left, 0 to 1; less than 0 when it is over. */
export function lifeLeft({ notBefore, notAfter }: ShownCertificate, now: number): number | undefined {
  if (notBefore === undefined || notAfter === undefined) return undefined;
  const end = Date.parse(notAfter);
  return (end - now) / (end - Date.parse(notBefore));
}

/** `in 89 d`, `in 23 h`, `4 min ago`. @param now ms since 1970 */
export function fromNow(time: string, now: number): string {
  const minutes = Math.round(Math.abs(Date.parse(time) - now) / 60_000);
  const [amount, unit] =
    minutes < 120
      ? [minutes, 'min']
      : minutes < 2880
        ? [Math.round(minutes / 60), 'h']
        : [Math.round(minutes / 1440), 'd'];
  return Date.parse(time) >= now ? `in ${amount} ${unit}` : `${amount} ${unit} ago`;
}
