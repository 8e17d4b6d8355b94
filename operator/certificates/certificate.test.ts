import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { CertificateAuthority } from './authority.ts';
import { makeEndCertificate, makeRoot } from './certificate.ts';
import { makeKeyPair } from './key-pair.ts';
import { DEFAULT_LIFETIMES } from './lifetimes.ts';
import { parseCertificates } from './pem.ts';
import { firstState, newRoot } from './root-rotation.ts';
import { changeRoot, foreignAuthority, readyAuthority } from './testing/chain.ts';
import { handshake } from './testing/handshake.ts';

const ID = 'spiffe://cluster.local/ns/shop/sa/ordering';
const WORKLOAD = { names: [{ uri: ID }], usage: ['serverAuth', 'clientAuth'], lifetimeMs: 3_600_000 } as const;

function opensslVerify(roots: string, chain: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-chain-'));
  try {
    const [leaf, ...between] = parseCertificates(chain, 'chain').map(String);
    for (const [name, text] of Object.entries({ roots, leaf: leaf ?? '', between: between.join('') })) {
      writeFileSync(join(folder, name), text);
    }
    const untrusted = between.length > 0 ? ['-untrusted', 'between'] : [];
    const args = ['verify', '-x509_strict', '-purpose', 'sslclient', '-CAfile', 'roots', ...untrusted, 'leaf'];
    return execFileSync('openssl', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('issued certificates', () => {
  test('have what Envoy and RFC 5280 ask for', async () => {
    const authority = await readyAuthority();
    const { chain, privateKey } = await authority.issue(WORKLOAD);
    const [leaf, intermediate] = parseCertificates(chain, 'chain');
    const [root] = parseCertificates(authority.trustBundle, 'roots');
    expect(leaf?.subject).toBeFalsy();
    expect(leaf?.subjectAltName).toBe(`URI:${ID}`);
    expect(leaf?.ca).toBe(false);
    expect(leaf?.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    expect(intermediate?.ca).toBe(true);
    expect(leaf && intermediate && leaf.checkIssued(intermediate) && leaf.verify(intermediate.publicKey)).toBe(true);
    expect(root && intermediate?.checkIssued(root) && intermediate.verify(root.publicKey)).toBe(true);
    expect(privateKey).toContain('BEGIN PRIVATE KEY');
    authority.stop();
  });

  test('pass a strict verification by OpenSSL', async () => {
    const authority = await readyAuthority();
    expect(opensslVerify(authority.trustBundle, (await authority.issue(WORKLOAD)).chain)).toContain('leaf: OK');
    authority.stop();
  });

  test('shake hands both ways, and the server learns the identity', async () => {
    const authority = await readyAuthority();
    const [server, client] = await Promise.all([authority.issue(WORKLOAD), authority.issue(WORKLOAD)]);
    expect((await handshake(server, client, authority.trustBundle)).subjectaltname).toBe(`URI:${ID}`);
    authority.stop();
  });

  test('of the old and the new root accept each other during a rotation', async () => {
    const authority = await readyAuthority();
    const old = await authority.issue(WORKLOAD);
    await changeRoot(authority);
    const fresh = await authority.issue(WORKLOAD);
    expect(fresh.generation).not.toBe(old.generation);
    await handshake(old, fresh, authority.trustBundle);
    await handshake(fresh, old, authority.trustBundle);
    authority.stop();
  });

  test('of another mesh are refused', async () => {
    const [ours, theirs] = await Promise.all([readyAuthority(), readyAuthority()]);
    const [server, client] = [await ours.issue(WORKLOAD), await theirs.issue(WORKLOAD)];
    await expect(handshake(server, client, ours.trustBundle)).rejects.toThrow();
    ours.stop();
    theirs.stop();
  });

  test('come straight from the CA of the user, with its chain', async () => {
    const { root, signing } = await foreignAuthority();
    const authority = await readyAuthority();
    const chain = [signing.certificate];
    await authority.adopt(firstState({ signing, chain, origin: 'cacerts', anchors: [root] }, 0));
    const issued = await authority.issue(WORKLOAD);
    expect(parseCertificates(issued.chain, 'chain')).toHaveLength(2);
    expect(opensslVerify(root.toString(), issued.chain)).toContain('leaf: OK');
    authority.stop();
  });

  test('come from a new intermediate when the clock jumped over the end of the old one', async () => {
    let skewMs = 0;
    const now = () => Date.now() + skewMs;
    const authority = new CertificateAuthority({ lifetimes: DEFAULT_LIFETIMES, now });
    await authority.adopt(firstState(await newRoot(DEFAULT_LIFETIMES, now()), now()));
    const before = authority.signerExpiresAt ?? 0;
    skewMs = DEFAULT_LIFETIMES.intermediateMs + 3_600_000;
    const issued = await Promise.all([authority.issue(WORKLOAD), authority.issue(WORKLOAD)]);
    const signers = issued.map(({ chain }) => parseCertificates(chain, 'chain')[1]?.fingerprint256);
    expect(new Set(signers).size).toBe(1);
    expect(authority.signerExpiresAt).toBeGreaterThan(before);
    expect(issued.every(({ expiresAt }) => expiresAt > now())).toBe(true);
    authority.stop();
  });

  test('never outlive their issuer', async () => {
    const { signing } = await foreignAuthority();
    const { publicKey } = await makeKeyPair();
    const request = { publicKey, names: [{ uri: ID }], usage: ['clientAuth'], notBefore: Date.now() } as const;
    const certificate = await makeEndCertificate({ ...request, notAfter: Date.now() + 1e12 }, signing);
    expect(certificate.validTo).toBe(signing.certificate.validTo);
  });

  test('say in their subject what they are asked to, and are as valid as without', async () => {
    const { root, signing } = await foreignAuthority();
    const { publicKey } = await makeKeyPair();
    const validity = { notBefore: Date.now() - 1000, notAfter: Date.now() + 60_000 };
    const request = { ...validity, publicKey, names: [{ uri: ID }], usage: ['clientAuth', 'serverAuth'] as const };
    const certificate = await makeEndCertificate({ ...request, description: 'ui/ui/latest/ui/' }, signing);
    expect(certificate.subject).toBe('description=ui/ui/latest/ui/');
    expect(certificate.subjectAltName).toBe(`URI:${ID}`);
    const chain = certificate.toString() + signing.certificate.toString();
    expect(opensslVerify(root.toString(), chain)).toContain('leaf: OK');
    expect((await makeEndCertificate(request, signing)).subject).toBeUndefined();
  });

  test.each([
    ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['P-384', generateKeyPairSync('ec', { namedCurve: 'P-384' })],
  ])('can come from a CA with an %s key', async (_, keys: { publicKey: KeyObject; privateKey: KeyObject }) => {
    // Beyond 2049, where X.509 changes its way to write times.
    const validity = { notBefore: Date.now() - 1000, notAfter: Date.UTC(2061, 0, 1) };
    const root = await makeRoot({ ...validity, commonName: 'x', publicKey: keys.publicKey }, keys.privateKey);
    const { publicKey } = await makeKeyPair();
    const request = {
      ...validity,
      publicKey,
      names: [{ dns: 'a.b.svc' }],
      usage: ['serverAuth', 'clientAuth'],
    } as const;
    const leaf = await makeEndCertificate(request, { certificate: root, privateKey: keys.privateKey });
    expect(opensslVerify(root.toString(), leaf.toString())).toContain('leaf: OK');
    expect(new X509Certificate(leaf.raw).checkHost('a.b.svc')).toBe('a.b.svc');
    expect(leaf.validToDate.getUTCFullYear()).toBe(2061);
  });

  test('cannot come from a key that Envoy would refuse', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const validity = { notBefore: 0, notAfter: Date.now() };
    await expect(makeRoot({ ...validity, commonName: 'x', publicKey }, privateKey)).rejects.toThrow(/use EC P-256/);
  });
});
