import { fromBinary } from '@bufbuild/protobuf';
import { afterEach, describe, expect, test } from '@jest/globals';
import { SecretSchema } from '../../generated/envoy/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { ResourceSchema } from '../../generated/envoy/envoy/service/discovery/v3/discovery_pb.js';
import { eventually } from '../../kube/testing/memory-api.ts';
import { type ProxyIdentity, SECRET_TYPE, type XdsResource } from '../xds/resource.ts';
import { CertificateAuthority } from './authority.ts';
import { DEFAULT_LIFETIMES } from './lifetimes.ts';
import { parseCertificates } from './pem.ts';
import { SecretSource } from './secret-source.ts';
import { spiffeId } from './start.ts';
import { changeRoot, readyAuthority } from './testing/chain.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const proxy = (uid: string): ProxyIdentity => ({
  uid,
  podName: `pod-${uid}`,
  namespace: 'shop',
  serviceAccount: 'ordering',
});

function sourceOf(authority: CertificateAuthority, workloadMs = 3_600_000, now = Date.now): SecretSource {
  const source = new SecretSource({ authority, workloadMs, spiffeId: (of) => spiffeId('cluster.local', of), now });
  cleanups.push(
    () => authority.stop(),
    () => source.stop(),
  );
  return source;
}

/** A stream as `ads` has it: looks up what changed, at once. @param held version of the certificate that the proxy has from before */
function connect(source: SecretSource, of: ProxyIdentity, held?: string) {
  const seen = new Map<string, XdsResource[]>([
    ['default', []],
    ['ROOTCA', []],
  ]);
  const look = (name: string) => {
    const before = seen.get(name);
    const resource = source.lookup(
      of,
      SECRET_TYPE,
      name,
      before?.at(-1)?.version ?? (name === 'default' ? held : undefined),
    );
    if (resource && before && before.at(-1)?.version !== resource.version) before.push(resource);
  };
  const end = source.onChange((change) => {
    for (const name of change.affected(of)?.get(SECRET_TYPE) ?? []) look(name);
  });
  look('default');
  look('ROOTCA');
  return { certificates: seen.get('default') ?? [], roots: seen.get('ROOTCA') ?? [], disconnect: end };
}

/** Does something once a certificate is made, before it is handed over; the first one only. */
function afterIssue(authority: CertificateAuthority, act: () => unknown): Promise<void> {
  const issue = authority.issue.bind(authority);
  return new Promise((resolve) => {
    authority.issue = async (request) => {
      const certificate = await issue(request);
      authority.issue = issue;
      await act();
      resolve();
      return certificate;
    };
  });
}

function secretIn({ bytes }: XdsResource) {
  const resource = fromBinary(ResourceSchema, bytes);
  return { resource, secret: fromBinary(SecretSchema, resource.resource?.value ?? new Uint8Array()) };
}

describe('SecretSource', () => {
  test('makes a certificate for the identity of the proxy that asks, once', async () => {
    const source = sourceOf(await readyAuthority());
    const stream = connect(source, proxy('a'));
    connect(source, proxy('a'));
    await eventually(() => stream.certificates.length === 1);
    const { resource, secret } = secretIn(stream.certificates[0] as XdsResource);
    expect([resource.name, resource.resource?.typeUrl, secret.type.case]).toEqual([
      'default',
      SECRET_TYPE,
      'tlsCertificate',
    ]);
    const chain = secret.type.case === 'tlsCertificate' ? secret.type.value.certificateChain?.specifier.value : '';
    const [leaf] = parseCertificates(String(chain), 'chain');
    expect(leaf?.subjectAltName).toBe('URI:spiffe://cluster.local/ns/shop/sa/ordering');
    expect(source.counts).toEqual({ held: 1, issued: 1, refused: 0 });
  });

  test('gives no two proxies one key', async () => {
    const source = sourceOf(await readyAuthority());
    const streams = ['a', 'b'].map((uid) => connect(source, proxy(uid)));
    await eventually(() => streams.every(({ certificates }) => certificates.length === 1));
    expect(streams[0]?.certificates[0]?.version).not.toBe(streams[1]?.certificates[0]?.version);
  });

  test('sends what it could not have at first, once there is a root', async () => {
    const authority = new CertificateAuthority({ lifetimes: DEFAULT_LIFETIMES });
    const stream = connect(sourceOf(authority), proxy('a'));
    expect(stream.roots).toEqual([]);
    const state = (await readyAuthority()).state;
    if (state) await authority.adopt(state);
    await eventually(() => stream.certificates.length === 1 && stream.roots.length === 1);
  });

  test('renews from half-life on, and never sends a certificate that has expired', async () => {
    const stream = connect(sourceOf(await readyAuthority(), 3000), proxy('a'));
    await eventually(() => stream.certificates.length === 3, 'two renewals', 9000);
  }, 10_000);

  test('gives no certificate that has expired, as when the machine slept over its renewal', async () => {
    let sleptMs = 0;
    const source = sourceOf(await readyAuthority(), 3_600_000, () => Date.now() + sleptMs);
    const stream = connect(source, proxy('a'));
    await eventually(() => stream.certificates.length === 1);
    expect(source.lookup(proxy('a'), SECRET_TYPE, 'default')).toBeDefined();
    sleptMs = 3_600_001;
    expect(source.lookup(proxy('a'), SECRET_TYPE, 'default')).toBeUndefined();
  });

  test('keeps none for a pod that goes while its certificate is made', async () => {
    const authority = await readyAuthority();
    const source = sourceOf(authority);
    const issued = afterIssue(authority, () => source.forget('a'));
    const stream = connect(source, proxy('a'));
    await issued;
    await new Promise(setImmediate);
    expect([stream.certificates, source.counts]).toEqual([[], { held: 0, issued: 0, refused: 0 }]);
  });

  test('issues nothing for a proxy that has gone', async () => {
    const source = sourceOf(await readyAuthority(), 2500);
    const stream = connect(source, proxy('a'));
    await eventually(() => stream.certificates.length === 1);
    stream.disconnect();
    await eventually(() => source.counts.held === 0, 'its end', 4000);
    expect(source.counts.issued).toBe(1);
  });

  describe('for a proxy that has a certificate from before', () => {
    const LIFETIME = 4000;
    /** With it nothing is renewed for its age while a test waits. */
    const LONG = 20_000;
    const certified = async (lifetimeMs = LIFETIME) => {
      const authority = await readyAuthority();
      const stream = connect(sourceOf(authority, lifetimeMs), proxy('a'));
      await eventually(() => stream.certificates.length === 1);
      return { authority, version: stream.certificates[0]?.version ?? '' };
    };

    test('issues nothing until it is to be renewed', async () => {
      const { authority, version } = await certified();
      const source = sourceOf(authority, LIFETIME);
      const stream = connect(source, proxy('a'), version);
      expect(source.isPending(proxy('a'), SECRET_TYPE, 'default')).toBe('held');
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(source.counts).toEqual({ held: 1, issued: 0, refused: 0 });
      await eventually(() => stream.certificates.length === 1, 'its renewal', LIFETIME);
      expect(stream.certificates[0]?.version).not.toBe(version);
    }, 10_000);

    test('issues one when it asks for it all the same', async () => {
      const { authority, version } = await certified();
      const source = sourceOf(authority, LIFETIME);
      connect(source, proxy('a'), version);
      source.lookup(proxy('a'), SECRET_TYPE, 'default');
      await eventually(() => source.counts.issued === 1);
    });

    test('issues one when the root is another', async () => {
      const { authority, version } = await certified(LONG);
      const source = sourceOf(authority, LONG);
      const stream = connect(source, proxy('a'), version);
      await changeRoot(authority);
      await eventually(() => stream.certificates.length === 1, 'one of the new root', 8000);
    }, 10_000);

    test.each<[string, (parts: { generation: string; now: number }) => string]>([
      ['of a root that is not ours', ({ now }) => `0123456789abcdef.${now + LONG / 1000}.0a`],
      ['that has expired', ({ generation, now }) => `${generation}.${now - 1}.0a`],
      ['that lives longer than those of today', ({ generation, now }) => `${generation}.${now + 3600}.0a`],
      ['of which nobody knows what it is', () => '7'],
      ['with too large an expiry', ({ generation }) => `${generation}.${'9'.repeat(40)}.0a`],
    ])('issues one in place of one %s', async (_, version) => {
      const authority = await readyAuthority();
      const source = sourceOf(authority, LONG);
      const { generation } = authority;
      const stream = connect(source, proxy('a'), version({ generation, now: Math.floor(Date.now() / 1000) }));
      await eventually(() => stream.certificates.length === 1);
    });
  });

  test('forgets a key when its pod is gone', async () => {
    const source = sourceOf(await readyAuthority());
    const stream = connect(source, proxy('a'));
    await eventually(() => stream.certificates.length === 1);
    source.forget('a');
    expect(source.counts.held).toBe(0);
  });

  test('follows a change of root: trust at once, certificates soon', async () => {
    const authority = await readyAuthority();
    const stream = connect(sourceOf(authority, 5000), proxy('a'));
    await eventually(() => stream.certificates.length === 1);
    await changeRoot(authority);
    expect(stream.roots).toHaveLength(2);
    await eventually(() => stream.certificates.length === 2);
    expect(stream.certificates[1]?.version.startsWith(authority.generation)).toBe(true);
  });

  test('issues another when the root changed while the first was made', async () => {
    const authority = await readyAuthority();
    void afterIssue(authority, () => changeRoot(authority));
    const stream = connect(sourceOf(authority), proxy('a'));
    await eventually(() => stream.certificates.at(-1)?.version.startsWith(authority.generation) === true);
    expect(authority.state?.phase).toBe('Issuing');
  });

  test('a replica with the same roots gives the bundle the same version', async () => {
    const [one, other] = [await readyAuthority(), new CertificateAuthority({ lifetimes: DEFAULT_LIFETIMES })];
    if (one.state) await other.adopt(one.state);
    const versions = [one, other].map(
      (authority) => sourceOf(authority).lookup(proxy('a'), SECRET_TYPE, 'ROOTCA')?.version,
    );
    expect(versions[0]).toBe(versions[1]);
  });

  test('knows no other name and no wildcard', async () => {
    const source = sourceOf(await readyAuthority());
    expect(source.lookup(proxy('a'), SECRET_TYPE, 'heddle-ca')).toBeUndefined();
    expect(source.lookup(proxy('a'), 'other', 'default')).toBeUndefined();
    expect(source.wildcard().size).toBe(0);
  });
});
