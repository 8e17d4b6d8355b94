import { z } from 'zod';

const version = z.enum(['TLS_AUTO', 'TLSV1_0', 'TLSV1_1', 'TLSV1_2', 'TLSV1_3']);
const texts = z.array(z.string());

/** Istio's ServerTLSSettings, as an ingress listener of a Sidecar has them. */
export const sidecarTls = z.object({
  httpsRedirect: z.boolean().optional().describe('Whether plain HTTP is sent to HTTPS.'),
  mode: z
    .enum(['PASSTHROUGH', 'SIMPLE', 'MUTUAL', 'AUTO_PASSTHROUGH', 'ISTIO_MUTUAL', 'OPTIONAL_MUTUAL'])
    .optional()
    .describe('What the callers show, and where TLS ends.'),
  serverCertificate: z.string().optional().describe('File with the certificate.'),
  privateKey: z.string().optional().describe('File with the key.'),
  caCertificates: z.string().optional().describe("File with the roots of the callers' certificates."),
  caCrl: z.string().optional().describe('File with the list of revoked certificates.'),
  credentialName: z.string().optional().describe('Secret with certificate and key.'),
  credentialNames: texts.optional().describe('Secrets with certificates and keys.'),
  caCertCredentialName: z
    .string()
    .optional()
    .describe("Secret or ConfigMap with the roots of the callers' certificates."),
  tlsCertificates: z
    .array(
      z.object({
        serverCertificate: z.string().optional(),
        privateKey: z.string().optional(),
        caCertificates: z.string().optional(),
      }),
    )
    .optional()
    .describe('Files with certificates and keys.'),
  subjectAltNames: texts.optional().describe("Names of which the caller's certificate must have one."),
  verifyCertificateSpki: texts.optional().describe("Hashes of the keys of callers' certificates."),
  verifyCertificateHash: texts.optional().describe("Hashes of callers' certificates."),
  minProtocolVersion: version.optional().describe('Lowest version of TLS.'),
  maxProtocolVersion: version.optional().describe('Highest version of TLS.'),
  cipherSuites: texts.optional().describe('Cipher suites that may be used.'),
});
