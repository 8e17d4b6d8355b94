import { fromBinary } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SecretSchema } from '../../generated/envoy/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { ResourceSchema } from '../../generated/envoy/envoy/service/discovery/v3/discovery_pb.js';
import { issueCertificate } from '../../test/e2e/testbed/certificate.ts';
import type { XdsResource } from '../xds/resource.ts';
import { parseCredentialName } from './credential-name.ts';
import { CredentialReader, type Reading } from './credential-reader.ts';
import { SecretApi } from './testing/secret-api.ts';

const ACCOUNT = { namespace: 'shop', serviceAccount: 'client' };
const { cert, key } = issueCertificate({ commonName: 'db' });
const other = issueCertificate({ commonName: 'other' });

describe('CredentialReader', () => {
  let api: SecretApi;
  let reader: CredentialReader;

  beforeEach(async () => {
    api = new SecretApi();
    reader = new CredentialReader(await api.start(), 'heddle-system');
  });
  afterEach(() => api.stop());

  const put = (object: string, data: Readonly<Record<string, string>>): void => {
    api.put(object, data);
    api.grant(object, 'shop', 'client');
  };
  async function read(secret: string, known?: Extract<Reading, { state: 'served' }>): Promise<Reading> {
    const name = parseCredentialName(secret);
    if (name === undefined) throw new Error(`${secret} is no credential`);
    return reader.read(ACCOUNT, name, known);
  }
  async function served(secret: string): Promise<XdsResource> {
    const reading = await read(secret);
    if (reading.state !== 'served') throw new Error(reading.problem);
    return reading.resource;
  }
  async function problem(secret: string): Promise<string> {
    const reading = await read(secret);
    if (reading.state === 'served') throw new Error(`${secret} is served`);
    return `${reading.state}: ${reading.problem}`;
  }

  test.each([
    ['tls.crt', 'tls.key', 'ca.crt'],
    ['cert', 'key', 'cacert'],
  ])('reads the keys %s, %s and %s', async (chain, privateKey, roots) => {
    put('secrets/shop/db', { [chain]: `# a comment\n${cert}`, [privateKey]: key, [roots]: other.cert });
    const own = secretOf(await served('kubernetes://db'));
    expect(own).toMatchObject({ name: 'kubernetes://db', type: { case: 'tlsCertificate' } });
    expect(texts(own)).toEqual([cert, key]);
    const trusted = secretOf(await served('kubernetes://db-cacert'));
    expect(trusted).toMatchObject({ name: 'kubernetes://db-cacert', type: { case: 'validationContext' } });
    expect(texts(trusted)).toEqual([other.cert]);
  });

  test('takes the authorities of the companion where it may, else those of the Secret', async () => {
    put('secrets/shop/db', { 'ca.crt': cert });
    api.put('secrets/shop/db-cacert', { cacert: other.cert });
    expect(texts(secretOf(await served('kubernetes://db-cacert')))).toEqual([cert]);
    api.grant('secrets/shop/db-cacert', 'shop', 'client');
    expect(texts(secretOf(await served('kubernetes://db-cacert')))).toEqual([other.cert]);
  });

  test('reads authorities of a ConfigMap, and no key', async () => {
    put('configmaps/shop/public', { 'ca.crt': cert, 'tls.crt': cert, 'tls.key': key });
    expect(texts(secretOf(await served('configmap://public-cacert')))).toEqual([cert]);
    expect(await problem('configmap://public')).toMatch(/^malformed: configmap:\/\/public can hold no private key/);
  });

  test('asks for no Secret that the account may not get', async () => {
    api.put('secrets/shop/db', { 'tls.crt': cert, 'tls.key': key });
    api.grant('secrets/shop/db', 'shop', 'another');
    expect(await problem('kubernetes://db')).toMatch(
      /^absent: ServiceAccount shop\/client may not get Secret shop\/db, .*resourceNames \["db"\].*shop:client$/,
    );
    expect(api.requests.filter((request) => request.startsWith('GET'))).toEqual([]);
  });

  test('says who has to be granted what, and what is missing', async () => {
    put('secrets/shop/db', { 'tls.crt': cert });
    expect(await problem('kubernetes://db')).toBe(
      'malformed: Secret shop/db has no tls.crt and tls.key; mode MUTUAL needs both',
    );
    expect(await problem('kubernetes://db-cacert')).toMatch(/^malformed: Secret shop\/db has no ca.crt .* db-cacert$/);
    api.granted.delete('secrets/shop/db');
    expect(await problem('kubernetes://db')).toMatch(/^absent: Heddle may not get Secret shop\/db, .*heddle-operator$/);
    api.granted.add('secrets/shop/db');
    api.remove('secrets/shop/db');
    expect(await problem('kubernetes://db')).toMatch(/^absent: Secret shop\/db is not there/);
  });

  test.each<[string, () => Record<string, string>, RegExp]>([
    ['a key of another certificate', () => ({ 'tls.crt': cert, 'tls.key': other.key }), /not the key of the first/],
    ['no PEM', () => ({ 'tls.crt': cert, 'tls.key': 'sesame' }), /tls.key holds no unencrypted private key/],
    [
      'a broken certificate',
      () => ({ 'tls.crt': cert.replace(/M/, 'A'), 'tls.key': key }),
      /certificate 1 is malformed/,
    ],
  ])('never repeats what is in it: %s', async (_, data, expected) => {
    const content = data();
    put('secrets/shop/db', content);
    const text = await problem('kubernetes://db');
    expect(text).toMatch(expected);
    for (const value of Object.values(content)) expect(text).not.toContain(value.slice(0, 40));
  });

  test('does not read again what has not changed', async () => {
    put('secrets/shop/db', { 'tls.crt': cert, 'tls.key': key });
    const first = await read('kubernetes://db');
    if (first.state !== 'served') throw new Error(first.problem);
    expect(await read('kubernetes://db', first)).toBe(first);
    put('secrets/shop/db', { 'tls.crt': other.cert, 'tls.key': other.key });
    const next = await read('kubernetes://db', first);
    expect(next.state === 'served' && next.resource.version).not.toBe(first.resource.version);
  });

  test('an API server that fails is no missing Secret', async () => {
    put('secrets/shop/db', { 'tls.crt': cert, 'tls.key': key });
    api.broken = 500;
    await expect(read('kubernetes://db')).rejects.toMatchObject({ code: 500 });
  });
});

function secretOf({ bytes }: XdsResource) {
  const { resource } = fromBinary(ResourceSchema, bytes);
  return fromBinary(SecretSchema, resource?.value ?? new Uint8Array());
}

/** Every PEM text of a secret, in the order of its fields. */
function texts({ type }: ReturnType<typeof secretOf>): unknown[] {
  if (type.case === 'tlsCertificate') {
    return [type.value.certificateChain?.specifier.value, type.value.privateKey?.specifier.value];
  }
  return type.case === 'validationContext' ? [type.value.trustedCa?.specifier.value] : [];
}
