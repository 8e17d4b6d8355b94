import { generateKeyPair, randomBytes } from 'node:crypto';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import forge from 'node-forge';
import type { ClusterNode } from './cluster-node.ts';
import { KUBERNETES_SERVICE_ADDRESS, NODE_ADDRESS } from './layout.ts';

type KeyPair = { readonly certificate: forge.pki.Certificate; readonly key: forge.pki.rsa.PrivateKey };
type Subject = { readonly commonName: string; readonly organization?: string };
type Leaf = Subject & { readonly server?: readonly string[] };

const YEAR_MS = 365 * 24 * 3_600_000;
const CLOCK_SKEW_MS = 3_600_000;

/** Client and server certificates of the control plane, by file name. Groups are Kubernetes' own (`system:masters`, `system:nodes`). */
const LEAVES: Readonly<Record<string, Leaf>> = {
  admin: { commonName: 'heddle-admin', organization: 'system:masters' },
  'kube-apiserver': {
    commonName: 'kube-apiserver',
    server: [
      'kubernetes',
      'kubernetes.default',
      'kubernetes.default.svc',
      'kubernetes.default.svc.cluster.local',
      'localhost',
      '127.0.0.1',
      NODE_ADDRESS,
      KUBERNETES_SERVICE_ADDRESS,
    ],
  },
  'kubelet-client': { commonName: 'kube-apiserver-kubelet-client', organization: 'system:masters' },
  'kube-controller-manager': { commonName: 'system:kube-controller-manager' },
  'kube-scheduler': { commonName: 'system:kube-scheduler' },
  'kube-proxy': { commonName: 'system:kube-proxy' },
  etcd: { commonName: 'etcd', server: ['localhost', '127.0.0.1'] },
};

/**
 * Writes a certificate authority of the cluster, one for the API aggregator, a key for ServiceAccount tokens, and a certificate
 * for every component of the control plane into `directory`: `NAME.crt`, `NAME.key`, PEM, keys readable by root only. They last one year.
 */
export async function writeCertificates(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const [ca, frontProxyCa] = await Promise.all([
    issue({ commonName: 'heddle-local-ca' }),
    issue({ commonName: 'heddle-local-front-proxy-ca' }),
  ]);
  const leaves = Object.entries(LEAVES).map(async ([name, leaf]) => writePair(directory, name, await issue(leaf, ca)));
  await Promise.all([
    ...leaves,
    writePair(directory, 'ca', ca),
    writePair(directory, 'front-proxy-ca', frontProxyCa),
    issue({ commonName: 'front-proxy-client' }, frontProxyCa).then((pair) =>
      writePair(directory, 'front-proxy-client', pair),
    ),
    writeTokenKey(directory),
  ]);
}

/**
 * Writes what a kubelet needs into the node's own folder: its certificate, of the cluster's authority, and that of the authority.
 * @param authority the folder that {@link writeCertificates} wrote to
 */
export async function writeNodeCertificate(authority: string, { name, address, state }: ClusterNode): Promise<void> {
  await mkdir(state.pki, { recursive: true, mode: 0o700 });
  const pem = (file: string): Promise<string> => readFile(path.join(authority, file), 'utf8');
  const ca = {
    certificate: forge.pki.certificateFromPem(await pem('ca.crt')),
    key: forge.pki.privateKeyFromPem(await pem('ca.key')),
  };
  const leaf = { commonName: `system:node:${name}`, organization: 'system:nodes', server: [name, address] };
  await writePair(state.pki, 'kubelet', await issue(leaf, ca));
  if (state.pki !== authority) await copyFile(path.join(authority, 'ca.crt'), path.join(state.pki, 'ca.crt'));
}

async function writeTokenKey(directory: string): Promise<void> {
  const { privateKey, publicKey } = await rsaKeys();
  await writeFile(path.join(directory, 'service-account.key'), privateKey, { mode: 0o600 });
  await writeFile(path.join(directory, 'service-account.pub'), publicKey);
}

async function writePair(directory: string, name: string, pair: KeyPair): Promise<void> {
  await writeFile(path.join(directory, `${name}.crt`), forge.pki.certificateToPem(pair.certificate));
  await writeFile(path.join(directory, `${name}.key`), forge.pki.privateKeyToPem(pair.key), { mode: 0o600 });
}

/** Keys come from OpenSSL, off the event loop: forge takes seconds for an RSA key. */
function rsaKeys(): Promise<{ publicKey: string; privateKey: string }> {
  return promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
}

/** A certificate signed by `issuer`; without one, a self-signed authority. */
async function issue(leaf: Leaf, issuer?: KeyPair): Promise<KeyPair> {
  const pem = await rsaKeys();
  const key = forge.pki.privateKeyFromPem(pem.privateKey);
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(pem.publicKey);
  // Positive (RFC 5280 4.1.2.2), and without leading zeros, for which Go refuses a certificate.
  certificate.serialNumber = `40${randomBytes(15).toString('hex')}`;
  certificate.validity.notBefore = new Date(Date.now() - CLOCK_SKEW_MS);
  certificate.validity.notAfter = new Date(Date.now() + YEAR_MS);
  certificate.setSubject(attributes(leaf));
  certificate.setIssuer(issuer === undefined ? attributes(leaf) : issuer.certificate.subject.attributes);
  certificate.setExtensions(issuer === undefined ? authorityExtensions() : leafExtensions(leaf));
  certificate.sign(issuer?.key ?? key, forge.md.sha256.create());
  return { certificate, key };
}

function attributes(subject: Subject): forge.pki.CertificateField[] {
  const name = { name: 'commonName', value: subject.commonName };
  return subject.organization === undefined
    ? [name]
    : [{ name: 'organizationName', value: subject.organization }, name];
}

function authorityExtensions(): object[] {
  return [
    { name: 'basicConstraints', cA: true, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, digitalSignature: true, critical: true },
    { name: 'subjectKeyIdentifier' },
  ];
}

function leafExtensions(leaf: Leaf): object[] {
  const names = leaf.server ?? [];
  const usage = [
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
    { name: 'extKeyUsage', clientAuth: true, serverAuth: names.length > 0 },
  ];
  if (names.length === 0) return usage;
  // GeneralName tags of RFC 5280 4.2.1.6: 2 is a DNS name, 7 an address.
  const altNames = names.map((name) => (/^[\d.]+$/.test(name) ? { type: 7, ip: name } : { type: 2, value: name }));
  return [...usage, { name: 'subjectAltName', altNames }];
}
