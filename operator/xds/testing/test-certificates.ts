import { makeEndCertificate, makeRoot } from '../../certificates/certificate.ts';
import { makeKeyPair, privateKeyPem } from '../../certificates/key-pair.ts';
import type { StaticSecrets } from './static-bootstrap.ts';

/** A root and a workload certificate of its making with a SPIFFE ID, enough for Envoy to load a configuration. */
export async function testSecrets(spiffeId: string): Promise<StaticSecrets> {
  const validity = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 3_600_000 };
  const [above, below] = await Promise.all([makeKeyPair(), makeKeyPair()]);
  const root = await makeRoot({ ...validity, commonName: 'test root', publicKey: above.publicKey }, above.privateKey);
  const leaf = await makeEndCertificate(
    { ...validity, publicKey: below.publicKey, names: [{ uri: spiffeId }], usage: ['serverAuth', 'clientAuth'] },
    { certificate: root, privateKey: above.privateKey },
  );
  return { certificate: leaf.toString(), key: privateKeyPem(below.privateKey), roots: root.toString() };
}
