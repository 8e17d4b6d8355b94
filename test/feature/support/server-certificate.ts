import { generateKeyPairSync } from 'node:crypto';
import forge from 'node-forge';
import type { ServerCertificate } from '../../../operator/ads/server-credentials.ts';

/** A self-signed certificate for `localhost`, made anew. Its own root: clients trust `cert`. */
export function makeServerCertificate(commonName = 'localhost'): ServerCertificate {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const keys = forge.pki.privateKeyFromPem(key);
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.rsa.setPublicKey(keys.n, keys.e);
  certificate.serialNumber = `01${Date.now().toString(16).padStart(16, '0')}`;
  certificate.validity.notBefore = new Date(Date.now() - 60_000);
  certificate.validity.notAfter = new Date(Date.now() + 86_400_000);
  const name = [{ name: 'commonName', value: commonName }];
  certificate.setSubject(name);
  certificate.setIssuer(name);
  certificate.setExtensions([
    { name: 'basicConstraints', cA: true },
    {
      name: 'subjectAltName',
      altNames: [
        { type: 2, value: 'localhost' },
        { type: 7, ip: '127.0.0.1' },
      ],
    },
  ]);
  certificate.sign(keys, forge.md.sha256.create());
  return { cert: forge.pki.certificateToPem(certificate), key };
}
