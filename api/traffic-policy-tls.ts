import { z } from 'zod';
import type { Findings } from './field-check.ts';
import { NULLABLE } from './spec-reader.ts';

/** Istio's ClientTLSSettings. */
export const clientTls = z.object({
  mode: z
    .enum(['DISABLE', 'SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL'])
    .optional()
    .describe(
      "DISABLE: plaintext. SIMPLE: TLS. MUTUAL: TLS with a certificate of ours. ISTIO_MUTUAL: the mesh's mTLS.",
    ),
  clientCertificate: z.string().optional().describe('File with our certificate, in the sidecar.'),
  privateKey: z.string().optional().describe('File with the key of our certificate, in the sidecar.'),
  caCertificates: z
    .string()
    .optional()
    .describe('File with the authorities that the server is checked with, in the sidecar.'),
  caCrl: z.string().optional().describe('File with revoked certificates, in the sidecar.'),
  credentialName: z.string().optional().describe('Secret or ConfigMap that holds all of these instead.'),
  subjectAltNames: z.array(z.string()).optional().describe("Names, one of which the server's certificate must have."),
  sni: z.string().optional().describe('Name that is asked for in the TLS handshake.'),
  insecureSkipVerify: z.boolean().optional().describe('Believe any certificate of the server.').meta(NULLABLE),
});

export type ClientTls = z.infer<typeof clientTls>;

const FILES = ['clientCertificate', 'privateKey', 'caCertificates', 'caCrl'] as const;

/** Reports settings that the mode can't go with, and those that it ignores. */
export function checkTls(found: Findings, field: string, tls: ClientTls): void {
  const { mode = 'DISABLE', insecureSkipVerify } = tls;
  if (!SERVER_NAME.test(tls.sni ?? '')) {
    found.error(`${field}.sni`, 'must be a name of at most 255 letters, digits and signs of ASCII, without blanks');
  }
  if (mode === 'DISABLE' || mode === 'ISTIO_MUTUAL') {
    const ignored = mode === 'DISABLE' ? (['sni', 'subjectAltNames'] as const) : [];
    for (const name of [...FILES, 'credentialName', 'insecureSkipVerify', ...ignored] as const) {
      if (isSet(tls[name])) found.warn(`${field}.${name}`, `has no effect with mode ${mode}; leave it out`);
    }
    return;
  }
  if (insecureSkipVerify === true) checkUnverified(found, field, tls);
  if (mode === 'SIMPLE') {
    for (const name of ['clientCertificate', 'privateKey'] as const) {
      if (isSet(tls[name]) && !isSet(tls.credentialName))
        found.warn(`${field}.${name}`, 'has no effect with mode SIMPLE; write mode MUTUAL');
    }
  }
  if (isSet(tls.credentialName)) {
    for (const name of FILES) {
      if (isSet(tls[name]))
        found.error(`${field}.${name}`, 'must not stand beside credentialName, which holds it; keep one');
    }
  } else if (mode === 'MUTUAL') {
    for (const name of ['clientCertificate', 'privateKey'] as const) {
      if (!isSet(tls[name]))
        found.error(`${field}.${name}`, 'must be there with mode MUTUAL; write it or credentialName');
    }
  }
}

/** Envoy refuses clusters with a longer server name, and with one that holds a NUL. More signs than DNS has, for Istio's own hold underscores. */
const SERVER_NAME = /^[!-~]{0,255}$/;

/** Nothing to verify with may stand beside the wish not to verify. A Secret may, with MUTUAL, for the certificate that is ours. */
function checkUnverified(found: Findings, field: string, tls: ClientTls): void {
  const names = [
    'caCertificates',
    'subjectAltNames',
    ...(tls.mode === 'SIMPLE' ? (['credentialName'] as const) : []),
  ] as const;
  for (const name of names) {
    if (isSet(tls[name])) found.error(`${field}.${name}`, 'must not stand beside insecureSkipVerify; keep one');
  }
}

const isSet = (value: string | boolean | readonly string[] | undefined): boolean =>
  value !== undefined && value !== '' && value !== false && !(Array.isArray(value) && value.length === 0);
