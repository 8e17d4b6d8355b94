import type { X509Certificate } from 'node:crypto';
import { CertificateAuthority } from '../authority.ts';
import type { CaSecret } from '../ca-secret.ts';
import { type Issuer, makeIntermediate, makeRoot } from '../certificate.ts';
import { makeKeyPair, privateKeyPem } from '../key-pair.ts';
import { DEFAULT_LIFETIMES, type Lifetimes } from '../lifetimes.ts';
import { joinCertificates } from '../pem.ts';
import { firstState, newRoot } from '../root-rotation.ts';
import { withRoots } from '../root-state.ts';

/** Seconds instead of days. */
export const SHORT: Lifetimes = {
  ...DEFAULT_LIFETIMES,
  rootMs: 60_000,
  intermediateMs: 20_000,
  workloadMs: 4000,
  webhookMs: 8000,
  xdsMs: 8000,
  propagationMs: 500,
};

/** An authority with a root of its own. */
export async function readyAuthority(lifetimes: Lifetimes = DEFAULT_LIFETIMES): Promise<CertificateAuthority> {
  const authority = new CertificateAuthority({ lifetimes });
  const now = Date.now();
  await authority.adopt(firstState(await newRoot(lifetimes, now), now));
  return authority;
}

/** Lets a new root sign at once; the old one stays trusted. */
export async function changeRoot(authority: CertificateAuthority): Promise<void> {
  const now = Date.now();
  const root = await newRoot(DEFAULT_LIFETIMES, now);
  const old = authority.state?.roots ?? [];
  await authority.adopt(withRoots({ ...firstState(root, now), retired: old, phase: 'Issuing' }));
}

/** A CA that somebody else made: a root, and an intermediate that signs. */
export async function foreignAuthority(expired = false): Promise<{ root: X509Certificate; signing: Issuer }> {
  const [above, below] = await Promise.all([makeKeyPair(), makeKeyPair()]);
  const now = Date.now();
  const validity = { notBefore: now - 7_200_000, notAfter: expired ? now - 3_600_000 : now + 3_600_000 };
  const root = await makeRoot(
    { ...validity, commonName: 'Corporate root', publicKey: above.publicKey },
    above.privateKey,
  );
  const request = { ...validity, commonName: 'Corporate mesh CA', publicKey: below.publicKey, pathLength: 0 };
  const certificate = await makeIntermediate(request, { certificate: root, privateKey: above.privateKey });
  return { root, signing: { certificate, privateKey: below.privateKey } };
}

/** A Secret in Istio's format. */
export function userSecret(root: X509Certificate, { certificate, privateKey }: Issuer): CaSecret {
  return secretOf('cacerts', {
    'ca-cert.pem': certificate.toString(),
    'ca-key.pem': privateKeyPem(privateKey),
    'root-cert.pem': root.toString(),
    'cert-chain.pem': joinCertificates([certificate, root]),
  });
}

/** A Secret of type kubernetes.io/tls, as cert-manager keeps it. */
export function certManagerSecret(root: X509Certificate, { certificate, privateKey }: Issuer): CaSecret {
  const text = {
    'tls.crt': certificate.toString(),
    'tls.key': privateKeyPem(privateKey),
    'ca.crt': root.toString(),
  };
  return { ...secretOf('cacerts', text), type: 'kubernetes.io/tls' };
}

export function secretOf(
  name: string,
  text: Record<string, string>,
  annotations: Record<string, string> = {},
): CaSecret {
  const data = Object.fromEntries(
    Object.entries(text).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  );
  return { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'heddle-system', name, annotations }, data };
}
