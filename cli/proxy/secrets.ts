import { X509Certificate } from 'node:crypto';
import type { Held } from './config-dump.ts';
import type { DataSource, Secret } from './envoy-json.ts';
import type { Line, Section } from './section.ts';

/** What may be known of a certificate. */
interface CertificateFacts {
  readonly resource: string;
  readonly type: 'Cert Chain' | 'CA';
  readonly state: string;
  readonly subject: string;
  readonly serial: string;
  /** ISO 8601. */
  readonly notBefore: string;
  readonly notAfter: string;
  readonly valid: boolean;
}

/** A line for each certificate. Of keys nothing is shown, in no format: what is not read here is not there. */
export const SECRETS: Section = {
  header: ['resource name', 'type', 'status', 'valid', 'subject', 'serial number', 'not after'],
  wide: ['not before', 'version'],
  lines: ({ secrets }) => secrets.flatMap((secret) => linesOf(secret, Date.now())),
};

function linesOf({ resource, state, version }: Held<Secret>, now: number): Line[] {
  return certificatesIn(resource, state, now).map((facts) => ({
    facts: {},
    cells: [
      facts.resource,
      facts.type,
      state.toUpperCase(),
      `${facts.valid}`,
      facts.subject,
      facts.serial,
      facts.notAfter,
    ],
    wide: [facts.notBefore, version || '-'],
    raw: facts,
  }));
}

function certificatesIn({ name = '', tls_certificate, validation_context }: Secret, state: string, now: number) {
  const own = pemsOf(tls_certificate?.certificate_chain).map((pem) => ({ pem, type: 'Cert Chain' as const }));
  const trusted = pemsOf(validation_context?.trusted_ca).map((pem) => ({ pem, type: 'CA' as const }));
  return [...own, ...trusted].flatMap(({ pem, type }): CertificateFacts[] => {
    try {
      const read = new X509Certificate(pem);
      const uri = /URI:([^,\s]+)/.exec(read.subjectAltName ?? '')?.[1];
      const subject = uri ?? (read.subject.split('\n').at(-1) || '-');
      const [from, to] = [new Date(read.validFrom), new Date(read.validTo)];
      const valid = from.getTime() <= now && now < to.getTime();
      const serial = read.serialNumber.toLowerCase();
      return [{ resource: name, type, state, subject, serial, notBefore: isoOf(from), notAfter: isoOf(to), valid }];
    } catch {
      return [];
    }
  });
}

function pemsOf(source: DataSource | undefined): string[] {
  const text = source?.inline_string ?? Buffer.from(source?.inline_bytes ?? '', 'base64').toString('utf8');
  return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

const isoOf = (date: Date): string => date.toISOString().replace('.000Z', 'Z');
