import { describe, expect, jest, test } from '@jest/globals';
import { CONFIG_MAP, SECRET, TRUST_ROTATION } from '../../kube/kinds.ts';
import { MemoryApi } from '../../kube/testing/memory-api.ts';
import { makeRoot } from '../../operator/certificates/certificate.ts';
import { makeKeyPair } from '../../operator/certificates/key-pair.ts';
import { controlPlaneCertificates, type OperatorView, proxyCertificates } from './collect.ts';
import { followRotation, isOver, rotationLine } from './follow.ts';
import { formatCertificates } from './list.ts';
import { certificatesIn, fromNow } from './shown-certificate.ts';

const START = Date.parse('2026-01-01T00:00:00Z');
const END = Date.parse('2026-03-01T00:00:00Z');
const { publicKey, privateKey } = await makeKeyPair();
const root = await makeRoot({ commonName: 'the root', publicKey, notBefore: START, notAfter: END }, privateKey);
const pem = root.toString();
const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const encoded = (text: string): string => Buffer.from(text).toString('base64');

const silent: OperatorView = { get: () => Promise.reject(new Error('the operator does not answer')) };
const answering: OperatorView = {
  get: <T>(path: string) => {
    const intermediate = { name: 'INTERMEDIATE', subject: 'CN=i', notBefore: '', notAfter: '', serial: '1' };
    const proxy = { namespace: 'shop', pod: 'ui-1', identity: 'spiffe://a/ns/shop/sa/ui' };
    return Promise.resolve(
      (path.startsWith('/api/proxies')
        ? { proxies: [{ ...proxy, certificateNotAfter: '2026-01-02T00:00:00Z' }, proxy] }
        : { certificates: [intermediate, { ...intermediate, name: 'ROOT' }] }) as T,
    );
  },
};

async function cluster(): Promise<MemoryApi> {
  const api = new MemoryApi();
  for (const namespace of ['a', 'b']) {
    const object = { metadata: { namespace, name: 'heddle-trust' }, data: { 'root-cert.pem': pem } };
    await api.create(CONFIG_MAP, object);
  }
  const data = { 'ca-cert.pem': encoded(pem), 'ca-key.pem': encoded(key) };
  await api.create(SECRET, { metadata: { namespace: 'heddle-system', name: 'heddle-ca' }, data } as object);
  // Key and certificate in one file, as some write it.
  const both = { 'tls.crt': encoded(key + pem), 'tls.key': encoded(key) };
  await api.create(SECRET, {
    metadata: { namespace: 'heddle-system', name: 'heddle-webhook-tls' },
    data: both,
  } as object);
  return api;
}

describe('certificates', () => {
  test('are collected from where they lie, each root once, and never a key', async () => {
    const { certificates, unknown } = await controlPlaneCertificates(await cluster(), answering);
    expect(certificates.map(({ name, source }) => [name, source])).toEqual([
      ['ROOT', 'ConfigMap a/heddle-trust'],
      ['SIGNER', 'Secret heddle-system/heddle-ca'],
      ['WEBHOOK', 'Secret heddle-system/heddle-webhook-tls'],
      ['INTERMEDIATE', 'the operator'],
    ]);
    expect(certificates[0]).toMatchObject({
      subject: expect.stringContaining('CN=the root'),
      notAfter: new Date(END).toISOString(),
    });
    expect(unknown).toEqual([]);
    const printed = JSON.stringify(certificates) + formatCertificates(certificates, true, START);
    expect(printed).not.toContain('PRIVATE');
    for (const line of key.split('\n').filter((each) => each.length > 20 && !each.startsWith('-'))) {
      expect(printed).not.toContain(line);
    }
  });

  test('that cannot be seen are said to be so', async () => {
    const api = await cluster();
    api.fail = (_, kind) => (kind === SECRET ? new Error('may not get secrets') : undefined);
    const { certificates, unknown } = await controlPlaneCertificates(api, silent);
    expect(certificates.map(({ name }) => name)).toEqual(['ROOT']);
    expect(unknown).toEqual([
      "Secret heddle-ca can't be seen: may not get secrets",
      "Secret cacerts can't be seen: may not get secrets",
      "Secret heddle-webhook-tls can't be seen: may not get secrets",
      "intermediates can't be seen: the operator does not answer",
    ]);
  });

  test('of sidecars are as the operator issued them', async () => {
    const { certificates } = await proxyCertificates(answering, 'shop');
    expect(formatCertificates(certificates, false, START)).toBe(
      [
        'NAME    SUBJECT                    EXPIRES                            SOURCE',
        'PROXY   spiffe://a/ns/shop/sa/ui   2026-01-02T00:00:00Z   in 24 h     shop/ui-1',
        'PROXY   spiffe://a/ns/shop/sa/ui   -                      not known   shop/ui-1',
      ].join('\n'),
    );
  });

  test('are read from a text with other things in it', () => {
    expect(certificatesIn(`${key}\n# a comment\n${pem}${pem}`)).toHaveLength(2);
    expect(certificatesIn(key)).toEqual([]);
  });

  test.each([
    [60_000, 'in 1 min'],
    [-7_200_000, '2 h ago'],
    [86_400_000 * 90, 'in 90 d'],
  ])('%d ms from now reads %s', (ms, expected) => {
    expect(fromNow(new Date(START + ms).toISOString(), START)).toBe(expected);
  });
});

describe('a rotation', () => {
  const rotation = (phase: 'Issuing' | 'Complete' | 'Refused', message: string) => ({
    metadata: { name: 'a' },
    status: {
      phase,
      progress: '3 of 12 proxies',
      conditions: [{ type: 'Complete', status: 'False' as const, reason: 'R', message, lastTransitionTime: '' }],
    },
  });

  test('is told in a line', () => {
    expect(rotationLine(rotation('Issuing', 'waits for shop/ui'))).toBe('Issuing (3 of 12 proxies): waits for shop/ui');
    expect(rotationLine({ metadata: { name: 'a' } })).toBe('Pending: the operator has not looked at it yet');
    expect([isOver(rotation('Issuing', '')), isOver(rotation('Refused', ''))]).toEqual([false, true]);
  });

  test.each([
    ['Complete', false, undefined],
    ['Complete', true, 'TrustRotation a ended Complete: over'],
    ['Refused', false, 'TrustRotation a ended Refused: over'],
  ] as const)('that ends %s, where going back is wanted: %s', async (phase, aborting, error) => {
    const log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
    const api = new MemoryApi();
    await api.create(TRUST_ROTATION, rotation(phase, 'over'));
    const followed = followRotation(api, 'a', 60_000, aborting);
    if (error === undefined) await followed;
    else await expect(followed).rejects.toThrow(error);
    expect(log).toHaveBeenCalledTimes(1);
    log.mockRestore();
  });
});
