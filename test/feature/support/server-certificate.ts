import type { ServerCertificate } from '../../../operator/ads/server-credentials.ts';
import { makeEndCertificate, makeRoot } from '../../../operator/certificates/certificate.ts';
import { makeKeyPair } from '../../../operator/certificates/key-pair.ts';

/** A server certificate for `localhost` and the root that a client must trust. */
export interface TestCertificate extends ServerCertificate {
  readonly rootPem: string;
}

/** Makes a root of its own and a certificate for `localhost`. */
export async function makeServerCertificate(): Promise<TestCertificate> {
  const validity = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 86_400_000 };
  const rootKeys = await makeKeyPair();
  const root = await makeRoot(
    { commonName: 'test root', publicKey: rootKeys.publicKey, ...validity },
    rootKeys.privateKey,
  );
  const keys = await makeKeyPair();
  const certificate = await makeEndCertificate(
    { publicKey: keys.publicKey, names: [{ dns: 'localhost' }], usage: ['serverAuth'], ...validity },
    { certificate: root, privateKey: rootKeys.privateKey },
  );
  const key = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { cert: certificate.toString(), key, rootPem: root.toString() };
}
