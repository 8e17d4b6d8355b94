import { beforeAll, describe, expect, test } from '@jest/globals';
import type { ServingCertificate } from './server.ts';
import { readServingCertificate } from './serving-certificate.ts';
import { makeCertificate } from './testing/certificate.ts';

const encode = (text: string) => Buffer.from(text).toString('base64');

describe('readServingCertificate', () => {
  let good: ServingCertificate;
  let other: ServingCertificate;
  beforeAll(async () => {
    good = await makeCertificate('webhook');
    other = await makeCertificate('other');
  });

  const read = (cert: string | undefined, key: string | undefined) => {
    const data = { ...(cert ? { 'tls.crt': encode(cert) } : {}), ...(key ? { 'tls.key': encode(key) } : {}) };
    return readServingCertificate({ data });
  };

  test('reads certificate, key and the end of validity', () => {
    const certificate = read(good.cert, good.key);
    expect(certificate).toMatchObject(good);
    expect(certificate.notAfter.getTime()).toBeGreaterThan(Date.now());
  });

  test('refuses a Secret that is empty, half-written, or broken, and names the key of it', () => {
    expect(() => readServingCertificate({})).toThrow('tls.crt is missing');
    expect(() => read(good.cert, undefined)).toThrow('tls.key is missing');
    expect(() => read('x', good.key)).toThrow('tls.crt is no PEM');
    expect(() => read(good.cert, 'x')).toThrow('tls.key is no PEM');
  });

  test('refuses a key of another certificate: with such a pair every handshake could fail', () => {
    expect(() => read(good.cert, other.key)).toThrow('tls.key does not belong to the certificate');
  });
});
