import { makeRoot } from '../../operator/certificates/certificate.ts';
import { makeKeyPair } from '../../operator/certificates/key-pair.ts';
import type { ServingCertificate } from '../server.ts';

/** A self-signed serving certificate, valid for an hour, whose subject bears the given name. */
export async function makeCertificate(commonName: string): Promise<ServingCertificate> {
  const validity = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 3_600_000 };
  const { publicKey, privateKey } = await makeKeyPair();
  const certificate = await makeRoot({ commonName, publicKey, ...validity }, privateKey);
  return { cert: certificate.toString(), key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}
