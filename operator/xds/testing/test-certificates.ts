import { generateKeyPairSync } from 'node:crypto';
import forge from 'node-forge';
import type { StaticSecrets } from './static-bootstrap.ts';

/** A self-signed certificate with a SPIFFE ID, enough for Envoy to load a configuration. */
export function testSecrets(spiffeId: string): StaticSecrets {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  certificate.serialNumber = '01';
  certificate.validity.notAfter = new Date(Date.now() + 3600 * 1000);
  certificate.setExtensions([
    { name: 'basicConstraints', cA: true, critical: true },
    { name: 'subjectAltName', altNames: [{ type: 6, value: spiffeId }] },
  ]);
  certificate.sign(forge.pki.privateKeyFromPem(privateKey), forge.md.sha256.create());
  const pem = forge.pki.certificateToPem(certificate);
  return { certificate: pem, key: privateKey, roots: pem };
}
